#include "chat/detail/phrases.hpp"

#include <algorithm>

#include "core/fold_text.hpp"

namespace decant::chat::detail {
namespace {

/// Longer messages are read to here; what decides stands at the beginning.
constexpr std::size_t most_words = 200;

std::string padded(std::string_view phrase) {
    return " " + std::string{phrase} + " ";
}

}  // namespace

Spoken::Spoken(std::string_view message) : text_(" ") {
    const std::string folded = fold_text(message);
    std::size_t count = 0;
    for (const std::string_view word : words_of(folded)) {
        if (++count > most_words) break;
        text_ += word;
        text_ += ' ';
    }
}

bool Spoken::has(std::string_view phrase) const {
    return text_.find(padded(phrase)) != std::string::npos;
}

bool Spoken::has_any(std::string_view list) const {
    return std::ranges::any_of(items_of(list), [&](std::string_view phrase) { return has(phrase); });
}

void Spoken::drop(std::string_view list) {
    std::vector<std::string_view> phrases = items_of(list);
    std::ranges::stable_sort(phrases, std::ranges::greater{}, &std::string_view::size);
    for (const std::string_view phrase : phrases) {
        const std::string wanted = padded(phrase);
        for (std::size_t at = 0; (at = text_.find(wanted, at)) != std::string::npos;)
            text_.replace(at, wanted.size(), " ");
    }
}

std::vector<std::string_view> Spoken::words() const {
    std::vector<std::string_view> words;
    for (std::size_t begin = 1; begin < text_.size();) {
        const std::size_t end = text_.find(' ', begin);
        words.push_back(std::string_view{text_}.substr(begin, end - begin));
        begin = end + 1;
    }
    return words;
}

std::vector<std::string_view> items_of(std::string_view list) {
    std::vector<std::string_view> items;
    while (!list.empty()) {
        const std::size_t end = std::min(list.find(", "), list.size());
        items.push_back(list.substr(0, end));
        list.remove_prefix(std::min(end + 2, list.size()));
    }
    return items;
}

}  // namespace decant::chat::detail
