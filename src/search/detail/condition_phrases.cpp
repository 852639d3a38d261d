#include "search/detail/condition_phrases.hpp"

#include <algorithm>

#include "search/detail/amount.hpp"

namespace decant::search::detail {
namespace {

const Phrases stock_phrases{
    "en stock, con stock, hay stock, haya stock, haya en stock, in stock, with stock, on stock, tengan stock, "
    "tenga stock, disponible, disponibles, available, available now, disponible ya, disponibles ya, "
    "disponible ahora, con disponibilidad, con stock disponible, stock disponible, entrega inmediata, "
    "para entrega inmediata, con entrega inmediata, en existencia, en existencias, hay existencias, "
    "hay en existencia, ready to ship, in stock now, que haya, tienen stock, tenes stock, tienes stock, "
    "queda stock, have stock, hay disponible, hay disponibles, haya disponible, haya disponibles"};
const Phrases sale_phrases{
    "en oferta, de oferta, ofertas, oferta, rebajado, rebajados, rebajada, rebajadas, rebajas, en rebaja, "
    "en rebajas, on sale, con descuento, descuento, descuentos, con descuentos, con rebaja, en promocion, "
    "promocion, promociones, en promo, con promo, promo, promos, discounted, with discount, with a discount, "
    "discount, discounts, on discount, deals, on offer, special offer, special offers, en liquidacion, "
    "liquidacion, clearance, sale price, discounts on, discount on, deals on, descuento en, descuentos en, "
    "ofertas en, con oferta, en descuento"};
/// Before "sale" it costs, or is sold.
const Phrases before_sale{"cuanto, que, me, te, se, si, for, lo, no"};
const Phrases up_to_words{"hasta, up to, con, with"};
const Phrases reduced{"off, de descuento, descuento, discount, dto"};
const Phrases featured_phrases{
    "destacado, destacados, destacada, destacadas, featured, productos recomendados, recommended products, "
    "los recomendados, recomendados, recomendadas, lo destacado, los destacados, lo mas destacado"};
const Phrases cheap_words{
    "barato, baratos, barata, baratas, baratito, baratita, economico, economicos, economica, economicas, "
    "cheap, cheaper, cheapest, affordable, inexpensive, low cost, budget, budget friendly, low price, "
    "low priced, lowest price, bajo costo, de bajo costo, bajo precio, buen precio, a buen precio, "
    "precio bajo, precios bajos, accesible, accesibles, menor precio, al mejor precio, mejor precio, "
    "good price, best price, gama baja, de gama baja, calidad precio, relacion calidad precio, "
    "buena relacion precio calidad, precio calidad, value for money, entry level, low budget, on a budget"};
const Phrases expensive_words{
    "caro, caros, caras, expensive, gama alta, de gama alta, alta gama, de alta gama, tope de gama, high end, "
    "top of the line, priciest, gama premium, calidad premium, premium quality"};
/// The feminine is also a face.
const Phrases dear_words{"caro, cara, caros, caras, expensive, pricey"};
const Phrases degrees{
    "mas, muy, super, bien, re, bastante, tan, very, really, quite, pretty, most, too, demasiado, that, so, "
    "el, la, lo, los, las, the"};
const Phrases articles{"el, la, lo, los, las, the"};
const Phrases being{"sea, sean, es, son, salga, salgan, este, esten, be, is, are"};
const Phrases denials{"no, not, nada, sin, without, ni, non, isn, t"};
const Phrases openings{
    "quiero, quisiera, queria, busco, buscaba, buscando, necesito, necesitaria, necesitamos, buscamos, "
    "queremos, estoy buscando, ando buscando, estoy en busca de, en busca de, me recomendas, me recomiendas, "
    "me recomiendan, recomendame, recomiendame, me recomendarias, mostrame, muestrame, mostrar, muestra, "
    "mostreme, dame, deme, tenes, tienen, tienes, tendran, tendras, tendrian, hay, habra, venden, vendes, "
    "comprar, comprarme, quiero comprarme, me gustaria, me interesa, me interesan, donde consigo, "
    "donde puedo comprar, puedo comprar, consigo, conseguir, buscar, busca, encontrar, ver, show me, show, "
    "i want, i want to, i need, we need, we want, looking for, i am looking for, i m looking for, "
    "im looking for, looking to buy, find me, find a, find an, find the, find some, give me, get me, "
    "do you have, have you got, got any, recommend, recommend me, can you recommend, suggest, suggest me, buy, "
    "shop for, shopping for, search for, searching for, i d like, i would like, i would like to, i d like to, "
    "where can i buy, where can i find, can i get, are there, is there, hola, hello, hi, hey, buenas, "
    "buen dia, buenos dias, buenas tardes, un, una, uno, unos, unas, algun, alguna, algunos, algunas, el, la, "
    "los, las, a, an, the, some, any, me, to buy, productos, producto, products, product, articulos, items, "
    "algo, something, que, cual es, cuales son, cuanto sale, cuanto salen, cuanto cuesta, cuanto cuestan, "
    "cuanto vale, cuanto valen, what is, what are, what s, what, which, which is, how much is, how much are, "
    "how much for, mejor, mejores, best, precio de, precios de, precio del, price of, prices of, modelos de, "
    "lista de, list of, opciones de, todos, todas, todo, todos los, todas las, all the, y, yo, i, tipos de, "
    "catalogo de"};
const Phrases courtesies{
    "por favor, please, gracias, muchas gracias, thanks, thank you, me recomendas, me recomiendas, "
    "me recomiendan, me recomendarias, do you recommend, would you recommend, for sale, a la venta, en venta, "
    "que tengas, que tengan, tenes, tienen, tienes"};
const Phrases joints{
    "del, y, e, o, u, con, en, de, a, al, que, por, para, and, or, with, in, of, for, that, which, is, are, "
    "at, sean, sea, son, es, este, esten, precio, precios, price, priced, prices, cuesten, cueste, cuesta, "
    "cuestan, cost, costs, costing, pero, but, un, una, valor, valga, salga, tenga, tengan, haya"};

/// "no muy caro", "que no sea tan caro", "not too expensive".
std::size_t not_expensive(const Tokens& tokens, std::size_t at) {
    std::size_t length = denials.match(tokens, at);
    if (length == 0) return 0;
    length += being.match(tokens, at + length);
    length += degrees.match(tokens, at + length);
    const std::size_t word = dear_words.match(tokens, at + length);
    return word > 0 ? length + word : 0;
}

/// "ofertas", "hasta 50% de descuento", "$50 off".
std::size_t sale_phrase(const Tokens& tokens, std::size_t at) {
    if (match(tokens, at, "sale") > 0) return count_before(tokens, at, before_sale) > 0 ? 0 : 1;
    const std::size_t up_to = up_to_words.match(tokens, at);
    std::size_t next = at + up_to;
    if (next < tokens.size() && is_number(tokens[next].folded) && tokens[next].after.starts_with('%')) {
        ++next;
    } else if (const auto money = amount_at(tokens, next); money && money->has_currency) {
        next += money->length;
    }
    const std::size_t words = next > at + up_to ? reduced.match(tokens, next) : 0;
    if (words > 0) return next + words - at;
    return sale_phrases.match(tokens, at);
}

bool is_denied(const Tokens& tokens, std::size_t at) {
    std::size_t first = at - count_before(tokens, at, degrees);
    first -= count_before(tokens, first, being);
    return first > 0 && !tokens[first - 1].is_used && denials.has(tokens[first - 1].folded);
}

/// "lo más barato", "muy barato"; of an article alone nothing is taken.
std::size_t degree_before(const Tokens& tokens, std::size_t at) {
    const std::size_t count = count_before(tokens, at, degrees);
    return count > 0 && articles.has(tokens[at - 1].folded) ? 0 : count;
}

/// "Premium" is in the names of products, where it says nothing about what is wanted.
std::size_t premium_word(const Tokens& tokens, std::size_t at) {
    const auto has_digit = [](const Token& token) {
        return token.folded.find_first_of("0123456789") != std::string::npos;
    };
    return std::ranges::none_of(tokens, has_digit) ? match(tokens, at, "premium") : 0;
}

}  // namespace

std::optional<ConditionPhrase> condition_phrase(const Tokens& tokens, std::size_t at) {
    if (const std::size_t length = not_expensive(tokens, at))
        return ConditionPhrase{.condition = Condition::cheap, .length = length};
    if (is_denied(tokens, at)) return std::nullopt;
    if (const std::size_t length = stock_phrases.match(tokens, at))
        return ConditionPhrase{.condition = Condition::stock, .length = length};
    if (const std::size_t length = cheap_words.match(tokens, at))
        return ConditionPhrase{Condition::cheap, length, degree_before(tokens, at)};
    if (const std::size_t length = sale_phrase(tokens, at))
        return ConditionPhrase{.condition = Condition::sale, .length = length};
    if (const std::size_t length = featured_phrases.match(tokens, at))
        return ConditionPhrase{.condition = Condition::featured, .length = length};
    if (const std::size_t length = expensive_words.match(tokens, at))
        return ConditionPhrase{Condition::expensive, length, degree_before(tokens, at)};
    if (const std::size_t length = premium_word(tokens, at))
        return ConditionPhrase{.condition = Condition::expensive, .length = length, .stays = true};
    return std::nullopt;
}

std::size_t opening_phrase(const Tokens& tokens, std::size_t at) {
    const std::size_t length = openings.match(tokens, at);
    // "Hi-Fi" is no greeting.
    return length > 0 && is_joined(tokens[at + length - 1].after) ? 0 : length;
}

std::size_t courtesy_phrase(const Tokens& tokens, std::size_t at) {
    return courtesies.match(tokens, at);
}

bool asks_for_stock(const Tokens& tokens, std::size_t at) {
    return match(tokens, at, "hay") > 0;
}

bool is_joint(std::string_view word) {
    return joints.has(word);
}

bool is_and(std::string_view word) {
    return word == "y" || word == "e" || word == "and" || word == "pero" || word == "but";
}

}  // namespace decant::search::detail
