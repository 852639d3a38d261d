#include "chat/detail/mixed_up.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "chat/detail/named_figures.hpp"
#include "chat/detail/vocabulary.hpp"

namespace decant::chat::detail {
namespace {

using Product = KnownFacts::Product;
using Stems = std::set<std::string, std::less<>>;

constexpr double half_a_cent = 0.005 + 1e-6;

Stems stems_of(const Words& words) {
    Stems stems;
    for (const Word& word : words)
        stems.insert(stem(word.folded));
    return stems;
}

/// The only product whose name is whole in the line, but for those whose name is a part of its name.
const Product* only_named(const Stems& line, const KnownFacts& known) {
    const Product* found = nullptr;
    for (const Product& product : known.products()) {
        if (product.name.empty() || !std::ranges::includes(line, product.name)) continue;
        if (found != nullptr && std::ranges::includes(found->name, product.name) && found->name != product.name)
            continue;
        if (found != nullptr && !std::ranges::includes(product.name, found->name)) return nullptr;
        if (found != nullptr && found->name == product.name) return nullptr;
        found = &product;
    }
    return found;
}

/// "Marca: Bosch", "Precio final: $100", "**Stock** 3".
bool is_label(const Words& words) {
    constexpr std::size_t most_words = 3;
    for (std::size_t at = 0; at < std::min(words.size(), most_words) && is_common(words[at].folded); ++at) {
        if (words[at].after.find(':') != std::string_view::npos) return true;
    }
    return announces_price(words[0].folded) || announces_stock(words[0].folded);
}

/// The line speaks of this product too, by a word that the other one has not.
bool is_spoken_of(const Product& product, const Stems& line, const Product& other) {
    return std::ranges::any_of(product.stems, [&](const std::string& each) {
        return each.size() > 1 && line.contains(each) && !other.stems.contains(each) && !is_common(each);
    });
}

/// What is said of `product` in one line.
class Line {
public:
    Line(const Words& words, const Stems& stems, const Product& product)
        : words_(words), stems_(stems), product_(product) {}

    std::optional<std::string> fault(const KnownFacts& known) const {
        for (std::size_t at = 0; at < words_.size(); ++at) {
            const auto read = figure_word(words_[at].folded);
            const bool is_price = has_currency(words_, at);
            if (!read || (is_price ? known.has_asked_price(read->figure.value) : known.has_asked(read->figure.value)))
                continue;
            if (!is_price && !is_stock(at)) continue;
            const double Product::* figure = is_price ? &Product::price : &Product::stock;
            const double value = read->figure.value;
            const auto has_it = [&](const Product& each) { return std::abs(each.*figure - value) <= half_a_cent; };
            const auto is_owner = [&](const Product& each) {
                return has_it(each) && is_spoken_of(each, stems_, product_);
            };
            if (has_it(product_) || std::ranges::any_of(known.products(), is_owner)) continue;
            if (std::ranges::none_of(known.products(), has_it)) continue;  // a number of something else
            return fmt::format("another product's {}: {}", is_price ? "price" : "stock", words_[at].text);
        }
        return std::nullopt;
    }

private:
    bool is_stock(std::size_t at) const {
        const bool is_announced = at > 0 && announces_stock(words_[at - 1].folded) && !ends_clause(words_[at].before);
        return is_announced || (at + 1 < words_.size() && follows_stock(words_[at + 1].folded));
    }
    static bool ends_clause(std::string_view gap) { return gap.find_first_of(".;,|") != std::string_view::npos; }

    const Words& words_;
    const Stems& stems_;
    const Product& product_;
};

}  // namespace

std::optional<std::string> find_mixed_up(std::string_view text, const KnownFacts& known) {
    const Product* product = nullptr;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        const Words words = words_in(text.substr(begin, end - begin));
        begin = end + 1;
        if (words.empty()) continue;
        const Stems stems = stems_of(words);
        const Product* named = only_named(stems, known);
        if (named != nullptr || !is_label(words)) product = named;
        if (product == nullptr) continue;
        if (auto fault = Line{words, stems, *product}.fault(known)) return fault;
    }
    return std::nullopt;
}

}  // namespace decant::chat::detail
