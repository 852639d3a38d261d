#include "search/detail/price_phrases.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/fold_text.hpp"

namespace decant::search::detail {
namespace {

using Words = std::string_view;

constexpr std::array upper_words{Words{"hasta"},
                                 Words{"menos de"},
                                 Words{"por menos de"},
                                 Words{"por debajo de"},
                                 Words{"debajo de"},
                                 Words{"de menos de"},
                                 Words{"maximo"},
                                 Words{"maximo de"},
                                 Words{"como maximo"},
                                 Words{"max"},
                                 Words{"no mas de"},
                                 Words{"inferior a"},
                                 Words{"menor a"},
                                 Words{"menor que"},
                                 Words{"de hasta"},
                                 Words{"under"},
                                 Words{"below"},
                                 Words{"up to"},
                                 Words{"less than"},
                                 Words{"at most"},
                                 Words{"maximum"},
                                 Words{"no more than"},
                                 Words{"cheaper than"},
                                 Words{"for under"},
                                 Words{"for less than"},
                                 Words{"presupuesto"},
                                 Words{"presupuesto de"},
                                 Words{"presupuesto maximo"},
                                 Words{"budget"},
                                 Words{"budget of"},
                                 Words{"que no pase de"},
                                 Words{"que no supere"},
                                 Words{"precio maximo"},
                                 Words{"max price"},
                                 Words{"que cueste menos de"},
                                 Words{"a menos de"}};
constexpr std::array lower_words{
    Words{"mas de"},        Words{"de mas de"},   Words{"desde"},       Words{"a partir de"},   Words{"minimo"},
    Words{"minimo de"},     Words{"como minimo"}, Words{"min"},         Words{"por encima de"}, Words{"arriba de"},
    Words{"superior a"},    Words{"mayor a"},     Words{"mayor que"},   Words{"over"},          Words{"above"},
    Words{"more than"},     Words{"at least"},    Words{"starting at"}, Words{"from"},          Words{"minimum"},
    Words{"precio minimo"}, Words{"por mas de"}};
constexpr std::array around_words{Words{"alrededor de"}, Words{"cerca de"}, Words{"around"},
                                  Words{"about"},        Words{"aprox"},    Words{"aproximadamente"},
                                  Words{"approximately"}};
constexpr std::array between_words{Words{"entre"}, Words{"between"}, Words{"de"}, Words{"from"}, Words{"desde"}};
constexpr std::array and_words{Words{"y"}, Words{"e"}, Words{"and"}, Words{"a"}, Words{"to"}, Words{"hasta"}};
constexpr std::array or_less{Words{"o menos"},     Words{"or less"}, Words{"or under"},
                             Words{"como maximo"}, Words{"maximo"},  Words{"max"}};
constexpr std::array or_more{Words{"o mas"}, Words{"or more"}, Words{"como minimo"}, Words{"minimo"}};
constexpr std::array currencies{Words{"usd"},   Words{"us"},    Words{"dolares"}, Words{"dolar"}, Words{"dollars"},
                                Words{"bucks"}, Words{"euros"}, Words{"eur"},     Words{"pesos"}, Words{"u$s"}};
/// What a number counts that is no price.
constexpr std::array counted{Words{"gb"},          Words{"tb"},       Words{"mb"},        Words{"gigas"},
                             Words{"megas"},       Words{"teras"},    Words{"giga"},      Words{"tera"},
                             Words{"hz"},          Words{"mhz"},      Words{"ghz"},       Words{"hertz"},
                             Words{"w"},           Words{"watts"},    Words{"watt"},      Words{"vatios"},
                             Words{"va"},          Words{"mah"},      Words{"mm"},        Words{"cm"},
                             Words{"m"},           Words{"metros"},   Words{"kg"},        Words{"kilos"},
                             Words{"g"},           Words{"gramos"},   Words{"l"},         Words{"litros"},
                             Words{"litro"},       Words{"rpm"},      Words{"dpi"},       Words{"mp"},
                             Words{"megapixeles"}, Words{"fps"},      Words{"ms"},        Words{"pulgadas"},
                             Words{"pulgada"},     Words{"inch"},     Words{"inches"},    Words{"in"},
                             Words{"nucleos"},     Words{"cores"},    Words{"core"},      Words{"hilos"},
                             Words{"threads"},     Words{"botones"},  Words{"buttons"},   Words{"teclas"},
                             Words{"keys"},        Words{"puertos"},  Words{"ports"},     Words{"canales"},
                             Words{"pines"},       Words{"personas"}, Words{"anos"},      Words{"years"},
                             Words{"meses"},       Words{"horas"},    Words{"hours"},     Words{"jugadores"},
                             Words{"bits"},        Words{"bit"},      Words{"lumens"},    Words{"btu"},
                             Words{"frigorias"},   Words{"tazas"},    Words{"programas"}, Words{"k"},
                             Words{"p"},           Words{"x"},        Words{"modulos"},   Words{"ventiladores"},
                             Words{"fans"},        Words{"ohm"},      Words{"ohms"},      Words{"db"},
                             Words{"unidades"},    Words{"core"}};
/// Under it a bare number is more likely to count something.
constexpr double least_bare_price = 10;
constexpr double around = 0.2;

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

bool is_money_sign(std::string_view gap) noexcept {
    return gap.find('$') != std::string_view::npos || gap.find("€") != std::string_view::npos;
}

/// "1500", "1.500", "1,500.50", "1500,5", "1k". A group of three digits after a point or comma is of thousands.
std::optional<double> number_of(std::string_view word) {
    double scale = 1;
    if (word.ends_with('k')) {
        scale = 1'000;
        word.remove_suffix(1);
    }
    if (word.empty() || !std::ranges::all_of(word, [](char c) { return is_digit(c) || c == '.' || c == ','; }))
        return std::nullopt;
    const std::size_t last = word.find_last_of(".,");
    const bool has_decimals = last != std::string_view::npos && word.size() - last - 1 != 3;
    std::string plain;
    for (std::size_t i = 0; i < word.size(); ++i) {
        if (is_digit(word[i])) plain.push_back(word[i]);
        if (i == last && has_decimals) plain.push_back('.');
    }
    double value = 0;
    const auto [end, failed] = std::from_chars(plain.data(), plain.data() + plain.size(), value);
    if (failed != std::errc{} || end != plain.data() + plain.size() || value > 1e9) return std::nullopt;
    return value * scale;
}

struct Amount {
    std::size_t length;  ///< tokens, with its currency
    double value;
    bool has_currency;
};

/// An amount from `at` on; none where the number counts something.
std::optional<Amount> amount(const std::vector<Token>& tokens, std::size_t at) {
    const std::size_t begin = at;
    bool has_currency = false;
    if (const std::size_t length = match_any(tokens, at, currencies)) {
        has_currency = true;
        at += length;
    }
    if (at >= tokens.size() || tokens[at].is_used) return std::nullopt;
    has_currency = has_currency || is_money_sign(tokens[at].before);
    auto value = number_of(tokens[at].folded);
    if (!value || tokens[at].after.starts_with('"') || tokens[at].after.starts_with("”") ||
        tokens[at].after.starts_with('\'')) {
        return std::nullopt;
    }
    const bool ends_with_sign = tokens[at].after.starts_with('$') || tokens[at].after.starts_with("€");
    has_currency = has_currency || ends_with_sign;
    ++at;
    if (match(tokens, at, "mil") > 0) {
        *value *= 1'000;
        ++at;
    }
    if (const std::size_t length = std::max(
            match_any(tokens, at, currencies),
            match(tokens, at, "de") + match_any(tokens, at + 1, currencies) > 1 ? std::size_t{2} : std::size_t{0})) {
        has_currency = true;
        at += length;
    }
    if (!has_currency && (match_any(tokens, at, counted) > 0 || *value < least_bare_price)) return std::nullopt;
    return Amount{.length = at - begin, .value = *value, .has_currency = has_currency};
}

std::optional<PricePhrase> bounded(const std::vector<Token>& tokens, std::size_t at) {
    const std::string_view gap = at < tokens.size() ? tokens[at].before : std::string_view{};
    const auto phrase = [&](std::size_t words, bool is_upper) -> std::optional<PricePhrase> {
        const auto found = amount(tokens, at + words);
        if (!found) return std::nullopt;
        return PricePhrase{.length = words + found->length,
                           .from = is_upper ? std::nullopt : std::optional{found->value},
                           .to = is_upper ? std::optional{found->value} : std::nullopt};
    };
    if (gap.find('<') != std::string_view::npos) return phrase(0, true);
    if (gap.find('>') != std::string_view::npos) return phrase(0, false);
    // "no mas de" starts like "mas de" one word later, so the longer one is tried first.
    if (const std::size_t words = match_any(tokens, at, upper_words)) return phrase(words, true);
    if (const std::size_t words = match_any(tokens, at, lower_words)) return phrase(words, false);
    return std::nullopt;
}

std::optional<PricePhrase> range_of(const std::vector<Token>& tokens, std::size_t at, bool needs_currency) {
    const auto low = amount(tokens, at);
    if (!low) return std::nullopt;
    std::size_t next = at + low->length;
    if (next >= tokens.size()) return std::nullopt;
    const std::string_view gap = tokens[next].before;
    const bool is_dash = gap == "-" || gap == " - " || gap == "–";
    const std::size_t joint = is_dash ? 0 : match_any(tokens, next, and_words);
    if (joint == 0 && !is_dash) return std::nullopt;
    next += joint;
    const auto high = amount(tokens, next);
    if (!high || high->value < low->value) return std::nullopt;
    if (needs_currency && !low->has_currency && !high->has_currency) return std::nullopt;
    return PricePhrase{.length = next + high->length - at, .from = low->value, .to = high->value};
}

std::optional<PricePhrase> between(const std::vector<Token>& tokens, std::size_t at) {
    if (const std::size_t words = match_any(tokens, at, between_words)) {
        if (auto range = range_of(tokens, at + words, false)) {
            range->length += words;
            return range;
        }
    }
    return range_of(tokens, at, true);
}

std::optional<PricePhrase> approximate(const std::vector<Token>& tokens, std::size_t at) {
    const std::size_t words = match_any(tokens, at, around_words);
    const auto found = words > 0 ? amount(tokens, at + words) : std::nullopt;
    if (!found) return std::nullopt;
    return PricePhrase{
        .length = words + found->length, .from = found->value * (1 - around), .to = found->value * (1 + around)};
}

std::optional<PricePhrase> trailing(const std::vector<Token>& tokens, std::size_t at) {
    const auto found = amount(tokens, at);
    if (!found) return std::nullopt;
    if (const std::size_t words = match_any(tokens, at + found->length, or_less))
        return PricePhrase{.length = found->length + words, .from = {}, .to = found->value};
    if (const std::size_t words = match_any(tokens, at + found->length, or_more))
        return PricePhrase{.length = found->length + words, .from = found->value, .to = {}};
    return std::nullopt;
}

}  // namespace

std::vector<Token> tokens_of(std::string_view question) {
    std::vector<Token> tokens;
    const char* last = question.data();
    for (const std::string_view word : words_of(question)) {
        if (tokens.size() == most_tokens) break;
        const std::string_view gap{last, static_cast<std::size_t>(word.data() - last)};
        if (!tokens.empty()) tokens.back().after = gap;
        tokens.push_back({.written = word, .before = gap, .after = {}, .folded = fold_text(word)});
        last = word.data() + word.size();
    }
    if (!tokens.empty())
        tokens.back().after = {last, static_cast<std::size_t>(question.data() + question.size() - last)};
    return tokens;
}

std::size_t match(const std::vector<Token>& tokens, std::size_t at, std::string_view phrase) {
    std::size_t count = 0;
    while (!phrase.empty()) {
        const std::size_t end = std::min(phrase.find(' '), phrase.size());
        if (at + count >= tokens.size() || tokens[at + count].is_used ||
            tokens[at + count].folded != phrase.substr(0, end))
            return 0;
        phrase.remove_prefix(std::min(end + 1, phrase.size()));
        ++count;
    }
    return count;
}

std::string text_of(const std::vector<Token>& tokens, std::size_t first, std::size_t count) {
    std::string text;
    for (std::size_t i = first; i < first + count; ++i)
        text += (text.empty() ? "" : " ") + std::string{tokens[i].written};
    return text;
}

std::optional<PricePhrase> price_phrase(const std::vector<Token>& tokens, std::size_t at) {
    for (const auto& form : {between, bounded, approximate, trailing})
        if (auto found = form(tokens, at)) return found;
    return std::nullopt;
}

}  // namespace decant::search::detail
