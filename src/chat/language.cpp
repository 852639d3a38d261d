#include "chat/language.hpp"

#include <algorithm>
#include <array>

#include "chat/detail/phrases.hpp"

namespace decant::chat {
namespace {

/// Folded. None of them is a word of both languages or of products.
constexpr std::string_view spanish_words =
    "el, la, los, las, un, una, unos, unas, de, del, que, y, o, en, con, por, para, mas, menos, quiero, quisiera, "
    "busco, "
    "necesito, tenes, tienen, tienes, hay, hola, buenas, buenos, buen, dia, dias, gracias, chau, adios, hasta, cual, "
    "cuales, cuanto, cuesta, sale, precio, precios, barato, barata, baratos, baratas, caro, cara, mostrame, muestrame, "
    "dame, comparame, compara, comparar, primera, primero, segunda, segundo, tercera, tercero, ultima, ultimo, esa, "
    "ese, "
    "esta, este, como, donde, cuando, quien, me, mi, tu, te, algo, alguna, algun, otra, otro, otras, otros, ver, sin, "
    "oferta, ofertas, pesos, dolares, placa, pantalla, teclado, auriculares, disco, heladera, televisor, celular, "
    "ayuda, hablar, persona, venden, vendes, productos, si, decime, ignora, olvida, gano, es, son, para, entre, "
    "destacados, recomendas, recomiendas";
constexpr std::string_view english_words =
    "the, an, of, and, or, in, with, for, to, is, are, do, does, you, your, have, has, want, need, looking, show, "
    "find, "
    "hello, hi, hey, thanks, thank, bye, goodbye, please, which, what, how, much, many, price, prices, cheap, cheaper, "
    "cheapest, expensive, less, more, than, under, over, between, below, above, first, second, third, last, one, ones, "
    "this, that, it, its, me, my, any, some, compare, who, when, where, why, tell, about, give, get, buy, there, sell, "
    "help, talk, human, person, sale, discount, dollars, can, could, would, i, ignore, forget, won, other, another, "
    "keyboard, headphones, screen, fridge, products, and, does, good, morning, evening, available";

std::size_t count_among(const detail::Spoken& spoken, std::string_view list) {
    const std::vector<std::string_view> items = detail::items_of(list);
    return static_cast<std::size_t>(std::ranges::count_if(
        spoken.words(), [&](std::string_view word) { return std::ranges::find(items, word) != items.end(); }));
}

/// What English has not.
bool has_spanish_letter(std::string_view message) {
    static constexpr auto letters =
        std::to_array<std::string_view>({"¿", "¡", "ñ", "Ñ", "á", "é", "í", "ó", "ú", "Á", "É", "Í", "Ó", "Ú"});
    return std::ranges::any_of(letters,
                               [&](std::string_view letter) { return message.find(letter) != std::string_view::npos; });
}

}  // namespace

std::optional<Language> language_of(std::string_view message) {
    const detail::Spoken spoken{message};
    const std::size_t spanish = count_among(spoken, spanish_words) + (has_spanish_letter(message) ? 2 : 0);
    const std::size_t english = count_among(spoken, english_words);
    if (spanish == english) return std::nullopt;
    return spanish > english ? Language::spanish : Language::english;
}

}  // namespace decant::chat
