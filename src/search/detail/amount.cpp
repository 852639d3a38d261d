#include "search/detail/amount.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "search/number_words.hpp"

namespace decant::search::detail {
namespace {

const Phrases currencies{
    "usd, dolares, dolar, dollars, dollar, bucks, euros, euro, eur, pesos, mangos, ars, mxn, clp, cop, gbp, "
    "soles, quid"};
/// With $ behind them: US$, AR$.
const Phrases before_sign{"us, ar, mx, cl, s"};
/// In one word with the number: "500usd", "usd500".
constexpr auto attached = std::to_array<std::string_view>(
    {"usd", "eur", "ars", "mxn", "clp", "cop", "gbp", "dolares", "dollars", "euros", "pesos"});
constexpr auto signs = std::to_array<std::string_view>({"$", "€", "£"});
/// What a number counts that is no price.
const Phrases counted{
    "gb, tb, mb, gigas, megas, teras, giga, tera, gigabytes, gib, hz, mhz, ghz, khz, hertz, w, watts, watt, "
    "vatios, va, kva, kw, mah, wh, ah, v, volts, voltios, amperes, mm, cm, m, km, metros, metro, meters, "
    "meter, mts, ft, feet, kg, kilos, kilo, lb, lbs, pounds, libras, oz, onzas, g, gr, gramos, grams, l, lt, "
    "lts, litros, litro, liters, ml, rpm, dpi, cpi, mp, mpx, megapixeles, megapixels, fps, ms, nm, pulgadas, "
    "pulgada, pulg, inch, inches, nucleos, nucleo, cores, core, hilos, threads, botones, buttons, teclas, "
    "keys, puertos, puerto, ports, port, canales, channels, pines, pin, pins, personas, people, usuarios, "
    "users, dispositivos, devices, equipos, pcs, anos, ano, years, year, meses, months, dias, days, semanas, "
    "horas, hora, hours, hour, hs, hrs, minutos, minutes, mins, segundos, seconds, jugadores, players, bits, "
    "bit, lumens, lumenes, nits, btu, frigorias, tazas, cups, platos, cubiertos, programas, velocidades, k, p, "
    "x, modulos, ventiladores, fans, ohm, ohms, db, decibeles, unidades, units, piezas, pieces, grados, "
    "degrees, cuotas, pagos, installments, mbps, gbps, mbit, colores, colors, leds, paginas, pages, hojas, "
    "sheets, fotos, photos, canciones, songs, bandas, estrellas, stars, opiniones, reviews, plazas, puertas, "
    "ranuras, slots, bahias, bays, zonas, niveles, modos, palos, off, "
    "kbps, tflops, pixeles, pixels, ti, super, xt, xtx, gre"};
/// With "in" before them no inches: "under 50 in white".
const Phrases after_in{"stock, white, black, red, blue, green, pink, grey, gray, silver, gold, the, my, good, total"};
/// A number beside them is a model's.
const Phrases model_words{
    "rtx, gtx, gt, rx, geforce, radeon, arc, ryzen, threadripper, core, i3, i5, i7, i9, ultra, ddr3, ddr4, "
    "ddr5, galaxy, iphone, pixel, redmi, moto, model, modelo, serie, series, version, windows, socket, lga, "
    "wifi, cl, ip, pcie, usb, hdmi, bluetooth, nro, numero"};

const Phrases thousand_words{"mil, thousand, grand"};

/// Under it a bare number is more likely to count something.
constexpr double least_bare_price = 10;
/// Over it no screen is measured in inches.
constexpr double most_inches = 100;
constexpr double most_price = 1e12;

struct Number {
    std::size_t length;  ///< tokens
    double value;
    bool has_currency = false;
};

std::optional<double> digits_value(const std::string& plain) {
    double value = 0;
    const auto [end, failed] = std::from_chars(plain.data(), plain.data() + plain.size(), value);
    if (failed != std::errc{} || end != plain.data() + plain.size() || value > most_price) return std::nullopt;
    return value;
}

/// "1500", "1.500", "1,500.50", "1500,5". Three digits after a point or comma are thousands; "192.168.0.1" is nothing.
std::optional<double> plain_number(std::string_view word) {
    if (!is_number(word)) return std::nullopt;
    std::string plain;
    std::size_t group = 0;
    std::size_t groups = 0;
    for (std::size_t i = word.size(); i > 0; --i) {  // from its end, where the decimals are
        const char c = word[i - 1];
        if (c != '.' && c != ',') {
            plain.insert(plain.begin(), c);
            ++group;
            continue;
        }
        const bool ends_decimals = groups == 0 && group != 3;
        if (ends_decimals)
            plain.insert(plain.begin(), '.');
        else if (group != 3)
            return std::nullopt;
        group = 0;
        ++groups;
    }
    return group > 3 && groups > 1 ? std::nullopt : digits_value(plain);
}

std::optional<Number> digits_at(const Token& token) {
    std::string_view word = token.folded;
    Number number{.length = 1, .value = 0};
    for (const std::string_view currency : attached) {
        if (word.size() <= currency.size()) continue;
        if (word.ends_with(currency))
            word.remove_suffix(currency.size());
        else if (word.starts_with(currency))
            word.remove_prefix(currency.size());
        else
            continue;
        number.has_currency = true;
        break;
    }
    const bool is_thousands = word.size() > 1 && word.ends_with('k');
    if (is_thousands) word.remove_suffix(1);
    const auto value = plain_number(word);
    if (!value) return std::nullopt;
    number.value = is_thousands ? *value * 1'000 : *value;
    return number;
}

/// "quinientos", "mil quinientos", "dos mil", "five hundred", "a thousand".
std::optional<Number> words_at(const Tokens& tokens, std::size_t at) {
    std::size_t i = at;
    double thousands = 0;
    double rest = 0;
    if (match(tokens, i, "a hundred") + match(tokens, i, "a thousand") + match(tokens, i, "a grand") > 0) ++i;
    const std::size_t first = i;
    for (; i < tokens.size() && !tokens[i].is_used; ++i) {
        const std::string& word = tokens[i].folded;
        if (const auto known = number_word(word)) {
            rest += *known;
        } else if (word == "hundred") {
            rest = std::max(rest, 1.0) * 100;
        } else if (thousand_words.has(word) && thousands == 0) {
            thousands = std::max(rest, 1.0) * 1'000;
            rest = 0;
        } else {
            break;
        }
    }
    if (i == first) return std::nullopt;
    return Number{.length = i - at, .value = thousands + rest};
}

std::size_t currency_at(const Tokens& tokens, std::size_t at) {
    if (at + 1 < tokens.size() && !tokens[at].is_used && tokens[at].after.starts_with('$')) {
        if (before_sign.has(tokens[at].folded)) return 1;
        if (tokens[at].folded == "u" && tokens[at + 1].folded == "s" && !tokens[at + 1].is_used) return 2;
    }
    return currencies.match(tokens, at);
}

bool has_sign(std::string_view gap) {
    return std::ranges::any_of(signs, [&](std::string_view sign) { return gap.find(sign) != std::string_view::npos; });
}
bool ends_with_sign(std::string_view gap) {
    return std::ranges::any_of(signs, [&](std::string_view sign) { return gap.ends_with(sign); });
}

/// Whether the sign between two words belongs to the second: "hasta $ 500", "27 $500", but not "500$ 27", "500 € 27".
bool is_sign_of_next(const Tokens& tokens, std::size_t next) {
    const std::string_view gap = tokens[next].before;
    if (!has_sign(gap)) return false;
    const bool follows_number = next > 0 && digits_at(tokens[next - 1]).has_value();
    return !follows_number || (ends_with_sign(gap) && gap.size() > 1);
}

bool is_sign_of_last(const Tokens& tokens, std::size_t at) {
    if (!has_sign(tokens[at].after)) return false;
    const bool is_before_number = at + 1 < tokens.size() && digits_at(tokens[at + 1]);
    return !is_before_number || !is_sign_of_next(tokens, at + 1);
}

bool is_measure(std::string_view after) {
    return after.starts_with('"') || after.starts_with("”") || after.starts_with("″") || after.starts_with('\'') ||
           after.starts_with("’") || after.starts_with("%") || after.starts_with("°");
}

/// 128, 256, 512: of memory. 4k: of a screen.
bool is_size(const Token& token, double value) {
    const auto sizes = std::to_array<double>({128, 256, 512, 1'024, 2'048});
    return std::ranges::find(sizes, value) != sizes.end() || token.folded == "4k" || token.folded == "5k" ||
           token.folded == "8k";
}

bool counts_something(const Tokens& tokens, std::size_t next, double value) {
    if (match(tokens, next, "in") > 0)
        return value <= most_inches && (next + 1 >= tokens.size() || !after_in.has(tokens[next + 1].folded));
    return counted.match(tokens, next) > 0;
}

}  // namespace

std::optional<Amount> amount_at(const Tokens& tokens, std::size_t at) {
    const std::size_t begin = at;
    const std::size_t prefix = currency_at(tokens, at);
    at += prefix;
    if (at >= tokens.size() || tokens[at].is_used) return std::nullopt;
    auto number = digits_at(tokens[at]);
    if (!number) number = words_at(tokens, at);
    if (!number) return std::nullopt;
    const Token& last = tokens[at + number->length - 1];
    if (is_measure(last.after)) return std::nullopt;
    bool has_currency = prefix > 0 || number->has_currency || is_sign_of_next(tokens, at) ||
                        is_sign_of_last(tokens, at + number->length - 1);
    const bool is_model = begin > 0 && model_words.has(tokens[begin - 1].folded);
    const bool is_bare_size = is_size(tokens[at], number->value);
    at += number->length;
    if (match(tokens, at, "mil") > 0 || match(tokens, at, "lucas") > 0) {
        has_currency = has_currency || tokens[at].folded == "lucas";
        number->value *= 1'000;
        ++at;
    }
    const std::size_t suffix = currency_at(tokens, at);
    has_currency = has_currency || suffix > 0;
    at += suffix;
    if (!has_currency &&
        (counts_something(tokens, at, number->value) || number->value < least_bare_price || is_model || is_bare_size)) {
        return std::nullopt;
    }
    return Amount{.length = at - begin, .value = number->value, .has_currency = has_currency};
}

}  // namespace decant::search::detail
