#include "chat/detail/known_facts.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "chat/detail/named_figures.hpp"
#include "chat/detail/vocabulary.hpp"
#include "core/fold_text.hpp"

namespace decant::chat::detail {
namespace {

/// A uuid has five parts.
constexpr std::size_t most_joined_words = 6;
constexpr double half_a_cent = 0.005 + 1e-6;

void add_words(KnownFacts::Product& known, std::string_view text) {
    const Words words = words_in(text);
    for (std::size_t i = 0; i < words.size(); ++i) {
        known.stems.insert(stem(words[i].folded));
        std::string joined;
        for (std::size_t j = i; j < std::min(words.size(), i + most_joined_words); ++j) {
            joined += stem(words[j].folded);
            known.joined.insert(joined);
        }
    }
}

KnownFacts::Product facts_of(const search::Hit& hit) {
    KnownFacts::Product product{
        .stems = {}, .joined = {}, .name = {}, .price = hit.price, .stock = static_cast<double>(hit.stock)};
    for (const Word& word : words_in(hit.name))
        product.name.insert(stem(word.folded));
    for (const std::string& text :
         {hit.name, hit.brand, hit.category, hit.category_display_name, hit.model, hit.sku, hit.id})
        add_words(product, text);
    return product;
}

/// 1, 1000 or 1000000.
double factor_of(std::string_view folded) {
    if (folded == "k" || folded == "lucas" || folded == "luca") return 1'000;
    const auto number = number_word(folded);
    return number && *number >= 1'000 ? *number : 1;
}

/// A number of the question may be what a person pays: no measure, and no count of a few.
bool may_be_price(const Words& words, std::size_t at, const std::optional<FigureWord>& figure, double value) {
    if (figure && is_currency(figure->suffix)) return true;
    if (figure && !figure->suffix.empty() && figure->suffix != "k") return false;
    constexpr double least_bare_price = 10;
    const bool is_measured = at + 1 < words.size() && is_unit(words[at + 1].folded);
    return (value >= least_bare_price && !is_measured) || (figure && has_currency(words, at));
}

struct Asked {
    std::vector<double> numbers;
    std::vector<double> prices;
};

/// Of digits with what multiplies them, and of words: "1500", "15k", "15 mil", "dos mil"; "una" is an article.
Asked numbers_in(const Words& words) {
    Asked asked;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const auto figure = figure_word(words[i].folded);
        const double value = figure ? figure->figure.value : number_word(words[i].folded).value_or(-1);
        if (value < 0 || (value == 1 && !figure)) continue;
        asked.numbers.push_back(value);
        if (may_be_price(words, i, figure, value)) asked.prices.push_back(value);
        const double factor = figure && !figure->suffix.empty() ? factor_of(figure->suffix)
                              : i + 1 < words.size()            ? factor_of(words[i + 1].folded)
                                                                : 1;
        if (factor == 1) continue;
        asked.numbers.push_back(value * factor);
        asked.prices.push_back(value * factor);
    }
    return asked;
}

bool holds(const std::vector<double>& values, double value) noexcept {
    return std::ranges::any_of(values, [&](double each) { return std::abs(each - value) <= half_a_cent; });
}

}  // namespace

KnownFacts::KnownFacts(std::span<const search::Hit> products, std::string_view question) : question_line_(" ") {
    for (const search::Hit& hit : products) {
        products_.push_back(facts_of(hit));
        add_words(described_, hit.description);
        prices_.push_back(hit.price);
        stocks_.push_back(static_cast<double>(hit.stock));
    }
    add_words(question_, question);
    const Words words = words_in(question);
    for (const Word& word : words)
        question_line_ += word.folded + " ";
    Asked asked = numbers_in(words);
    asked_ = std::move(asked.numbers);
    asked_prices_ = std::move(asked.prices);
}

bool KnownFacts::has_price(double value) const noexcept {
    return holds(prices_, value) || has_asked_price(value);
}

bool KnownFacts::has_stock(double value) const noexcept {
    return holds(stocks_, value) || has_asked(value);
}

bool KnownFacts::has_asked(double value) const noexcept {
    return holds(asked_, value);
}

bool KnownFacts::has_asked_price(double value) const noexcept {
    return holds(asked_prices_, value);
}

bool KnownFacts::has_word(std::string_view folded) const {
    const std::string wanted = stem(folded);
    const auto has = [&](const Product& product) { return product.stems.contains(wanted); };
    return has(question_) || std::ranges::any_of(products_, has);
}

bool KnownFacts::has_joined(const std::string& folded) const {
    const auto has = [&](const Product& product) { return product.joined.contains(folded); };
    return has(question_) || std::ranges::any_of(products_, has);
}

bool KnownFacts::mentions_word(std::string_view folded) const {
    return has_word(folded) || described_.stems.contains(stem(folded));
}

bool KnownFacts::mentions_joined(const std::string& folded) const {
    return has_joined(folded) || described_.joined.contains(folded);
}

bool KnownFacts::asks(const Words& words) const {
    std::string line = " ";
    for (const Word& word : words)
        line += word.folded + " ";
    return question_line_.find(line) != std::string::npos;
}

}  // namespace decant::chat::detail
