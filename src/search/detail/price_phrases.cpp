#include "search/detail/price_phrases.hpp"

#include <algorithm>
#include <utility>

#include "search/detail/amount.hpp"

namespace decant::search::detail {
namespace {

const Phrases upper_words{
    "hasta, de hasta, menos de, de menos de, por menos de, a menos de, menos que, por debajo de, debajo de, "
    "abajo de, maximo, maximo de, un maximo de, como maximo, max, tope, inferior a, inferiores a, menor a, "
    "menores a, menor que, menores que, bajo los, under, for under, below, beneath, up to, less than, "
    "for less than, lower than, at most, maximum, maximum of, a maximum of, cheaper than, mas barato que, "
    "mas barata que, mas baratos que, mas baratas que, limit, max price, precio maximo, precio hasta, "
    "presupuesto, presupuesto de, presupuesto es, presupuesto es de, presupuesto maximo, "
    "presupuesto maximo de, budget, budget of, budget is, que no pase de, que no pase los, que no supere, "
    "sin pasar de, sin superar, sin pasarme de, nothing over, nothing above"};
const Phrases lower_words{
    "mas de, de mas de, por mas de, mas que, desde, a partir de, minimo, minimo de, un minimo de, como minimo, "
    "por lo menos, al menos, min, por encima de, encima de, por arriba de, arriba de, superior a, "
    "superiores a, mayor a, mayores a, mayor que, mayores que, over, above, more than, higher than, at least, "
    "starting at, starting from, from, minimum, minimum of, a minimum of, precio minimo, precio desde, "
    "min price, upwards of"};
const Phrases around_words{
    "alrededor de, cerca de, a eso de, aprox, aproximadamente, around, about, approximately, close to, roughly"};
const Phrases between_words{"entre, between"};
const Phrases range_words{"de, desde, from"};
const Phrases and_words{"y, e, and, a, to, hasta, up to"};
const Phrases or_less{
    "o menos, or less, or under, or below, or cheaper, como maximo, maximo, max, tops, at most, para abajo, "
    "maximum"};
const Phrases or_more{"o mas, or more, or above, como minimo, minimo, para arriba, en adelante, and up, minimum"};
const Phrases or_so{"aprox, aproximadamente, mas o menos, or so, approximately, approx"};
/// Between such a word and the amount.
const Phrases fillers{"los, las, unos, unas, the, about, un, de"};
/// An amount before them is what is taken off.
const Phrases reductions{"off, de descuento, discount, menos, gift card, de regalo, cashback, de reintegro"};
/// A bound with a currency by itself: "tengo 500 dólares".
const Phrases purse_words{"tengo, i have, dispongo de, cuento con"};
/// Said before a bound, of the price.
const Phrases lead_in_words{
    "que, cueste, cuesten, cuesta, cuestan, valga, valgan, valor, salga, salgan, pase, pasen, supere, superen, "
    "exceda, excedan, quiero, quisiera, gastar, pagar, puedo, precio, precios, sea, sean, i, can, spend, "
    "spending, pay, want, wanna, to, cost, costs, costing, price, priced, prices, that, which, tengo, mi, my, "
    "con, un, a, with, de, me, is, are, es"};
const Phrases negations{"no, not, don, dont, doesn, nunca, never, nada, nothing, t, do, does"};
const Phrases true_negations{"no, not, don, dont, doesn, nunca, never, nada, nothing"};
/// Before "max" a product's name: "iPhone 15 Pro Max 256".
const Phrases before_max{"pro, mini, plus, ultra, rog, hero, air, ai"};
const Phrases cards{"rtx, gtx, rx, geforce, radeon, ryzen"};

/// Smaller numbers may be inches, litres or people, where neither a currency nor "between" says that they are not.
constexpr double least_bare_range = 100;
constexpr double least_bare_bound = 50;
constexpr double needs_currency = 1e18;
constexpr double around = 0.2;

/// "desde 2019": more likely a year than a price.
bool is_year(const Amount& amount) {
    return !amount.has_currency && amount.value >= 1'990 && amount.value <= 2'040 && amount.value != 2'000;
}

PricePhrase around_price(std::size_t length, double value) {
    return {.length = length, .from = value * (1 - around), .to = value * (1 + around)};
}

std::size_t skip_fillers(const Tokens& tokens, std::size_t at) {
    return fillers.match(tokens, at);
}

/// The number after "max" or "min" that ends a product's name is part of it.
bool is_of_name(const Tokens& tokens, std::size_t at) {
    if (tokens[at].folded != "max" && tokens[at].folded != "min") return false;
    if (at == 0 || tokens[at - 1].is_used || !tokens[at].before.starts_with(' ')) return false;
    return before_max.has(tokens[at - 1].folded);
}

/// "no quiero gastar más de 500" is an upper bound.
struct LeadIn {
    std::size_t length = 0;
    bool is_negated = false;
};

LeadIn lead_in_before(const Tokens& tokens, std::size_t at) {
    std::size_t length = count_before(tokens, at, lead_in_words);
    const std::size_t denied = count_before(tokens, at - length, negations);
    for (std::size_t i = at - length - denied; i < at - length; ++i) {
        if (!true_negations.has(tokens[i].folded)) continue;
        length = at - i;
        length += count_before(tokens, i, lead_in_words);
        return {.length = length, .is_negated = true};
    }
    return {.length = length, .is_negated = false};
}

std::optional<PricePhrase> bound(const Tokens& tokens, std::size_t at, std::size_t words, bool is_upper) {
    const std::size_t filler = words > 0 ? skip_fillers(tokens, at + words) : 0;
    const auto found = amount_at(tokens, at + words + filler);
    if (!found) return std::nullopt;
    if (!is_upper && is_year(*found)) return std::nullopt;
    if (words > 0 && !found->has_currency) {
        if (is_of_name(tokens, at)) return std::nullopt;
        if (!is_upper && at > 0 && cards.has(tokens[at - 1].folded)) return std::nullopt;
    }
    const LeadIn lead_in = lead_in_before(tokens, at);
    if (lead_in.is_negated) is_upper = !is_upper;
    return PricePhrase{.length = words + filler + found->length,
                       .from = is_upper ? std::nullopt : std::optional{found->value},
                       .to = is_upper ? std::optional{found->value} : std::nullopt,
                       .lead_in = lead_in.length};
}

std::optional<PricePhrase> bounded(const Tokens& tokens, std::size_t at) {
    const std::string_view gap = tokens[at].before;
    if (gap.find('<') != std::string_view::npos || gap.find("≤") != std::string_view::npos)
        return bound(tokens, at, 0, true);
    const bool is_arrow = gap.find("->") != std::string_view::npos || gap.find("=>") != std::string_view::npos;
    if ((gap.find('>') != std::string_view::npos && !is_arrow) || gap.find("≥") != std::string_view::npos)
        return bound(tokens, at, 0, false);
    const std::size_t upper = upper_words.match(tokens, at);
    const std::size_t lower = lower_words.match(tokens, at);
    if (upper > lower) return bound(tokens, at, upper, true);
    return lower > 0 ? bound(tokens, at, lower, false) : std::nullopt;
}

std::optional<PricePhrase> range_of(const Tokens& tokens, std::size_t at, double least_bare) {
    const auto low = amount_at(tokens, at);
    if (!low) return std::nullopt;
    std::size_t next = at + low->length;
    if (next >= tokens.size()) return std::nullopt;
    const std::string_view gap = tokens[next].before;
    const bool is_dash = gap.find('-') != std::string_view::npos || gap.find("–") != std::string_view::npos;
    const std::size_t joint = is_dash ? 0 : and_words.match(tokens, next);
    if (joint == 0 && !is_dash) return std::nullopt;
    next += joint;
    if (joint > 0) next += skip_fillers(tokens, next);
    const auto high = amount_at(tokens, next);
    if (!high) return std::nullopt;
    const auto [from, to] = std::minmax(low->value, high->value);
    if (!low->has_currency && !high->has_currency && (to < least_bare || is_year(*low) || is_year(*high)))
        return std::nullopt;
    return PricePhrase{.length = next + high->length - at, .from = from, .to = to};
}

std::optional<PricePhrase> between(const Tokens& tokens, std::size_t at) {
    const auto after = [&](std::size_t words, double least_bare) -> std::optional<PricePhrase> {
        if (words == 0) return std::nullopt;
        if (at > 0 && cards.has(tokens[at - 1].folded)) return std::nullopt;
        const std::size_t filler = skip_fillers(tokens, at + words);
        auto range = range_of(tokens, at + words + filler, least_bare);
        if (!range) return std::nullopt;
        range->length += words + filler;
        range->lead_in = lead_in_before(tokens, at).length;
        return range;
    };
    if (auto range = after(between_words.match(tokens, at), 0)) return range;
    if (auto range = after(range_words.match(tokens, at), least_bare_range)) return range;
    return range_of(tokens, at, needs_currency);
}

std::optional<PricePhrase> approximate(const Tokens& tokens, std::size_t at) {
    if (const std::size_t words = around_words.match(tokens, at)) {
        const std::size_t filler = skip_fillers(tokens, at + words);
        const auto found = amount_at(tokens, at + words + filler);
        return found ? std::optional{around_price(words + filler + found->length, found->value)} : std::nullopt;
    }
    const auto found = amount_at(tokens, at);
    if (!found) return std::nullopt;
    const std::size_t words = or_so.match(tokens, at + found->length);
    if (words == 0 || (!found->has_currency && found->value < least_bare_bound)) return std::nullopt;
    return around_price(found->length + words, found->value);
}

std::optional<PricePhrase> trailing(const Tokens& tokens, std::size_t at) {
    const auto found = amount_at(tokens, at);
    if (!found || (!found->has_currency && found->value < least_bare_bound)) return std::nullopt;
    if (const std::size_t words = or_less.match(tokens, at + found->length))
        return PricePhrase{.length = found->length + words, .from = {}, .to = found->value};
    const std::size_t words = or_more.match(tokens, at + found->length);
    if (words == 0 || is_year(*found)) return std::nullopt;
    return PricePhrase{.length = found->length + words, .from = found->value, .to = {}};
}

/// An amount of money and no word about it: about so much.
std::optional<PricePhrase> alone(const Tokens& tokens, std::size_t at) {
    const std::size_t purse = purse_words.match(tokens, at);
    const auto found = amount_at(tokens, at + purse);
    if (!found || !found->has_currency || reductions.match(tokens, at + purse + found->length) > 0) return std::nullopt;
    if (purse > 0) return PricePhrase{.length = purse + found->length, .from = {}, .to = found->value};
    return around_price(found->length, found->value);
}

}  // namespace

std::optional<PricePhrase> price_phrase(const Tokens& tokens, std::size_t at) {
    for (const auto& form : {between, bounded, approximate, trailing, alone})
        if (auto found = form(tokens, at)) return found;
    return std::nullopt;
}

}  // namespace decant::search::detail
