#include "chat/grounding.hpp"

#include <utility>

#include "chat/detail/answer_words.hpp"
#include "chat/detail/forbidden_text.hpp"
#include "chat/detail/known_facts.hpp"
#include "chat/detail/mixed_up.hpp"
#include "chat/detail/named_codes.hpp"
#include "chat/detail/named_figures.hpp"
#include "chat/detail/named_products.hpp"
#include "core/utf8.hpp"

namespace decant::chat {

std::optional<GroundingFault> find_ungrounded(std::string_view answer, std::span<const search::Hit> products,
                                              std::string_view question) {
    const auto fault = [&]() -> std::optional<std::string> {
        std::string told{answer};
        for (const search::Hit& hit : products)
            told = detail::without_image(std::move(told), hit.image_url);
        if (auto found = detail::find_forbidden(told)) return found;
        const std::string text = detail::without_pictures(told);
        const detail::KnownFacts known{products, question};
        const detail::Words words = detail::words_in(text);
        if (auto found = detail::find_unknown_code(words, known)) return found;
        if (auto found = detail::find_unknown_figure(words, known)) return found;
        if (auto found = detail::find_unknown_product(text, known)) return found;
        return detail::find_mixed_up(text, known);
    }();
    if (!fault) return std::nullopt;
    constexpr std::size_t most_characters = 120;
    return GroundingFault{printable(first_characters(*fault, most_characters))};
}

}  // namespace decant::chat
