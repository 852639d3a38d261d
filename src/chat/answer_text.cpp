#include "chat/answer_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "chat/detail/forbidden_text.hpp"
#include "chat/detail/intent_words.hpp"
#include "chat/detail/phrases.hpp"
#include "core/utf8.hpp"

namespace decant::chat {
namespace {

using search::Hit;
using search::PriceWish;

constexpr std::size_t most_name = 100;
constexpr std::size_t most_field = 60;
constexpr std::size_t most_categories = 12;

constexpr Wording brand_label{"Marca", "Brand"};
constexpr Wording category_label{"Categoría", "Category"};
constexpr Wording model_label{"Modelo", "Model"};
constexpr Wording price_label{"Precio", "Price"};
constexpr Wording stock_label{"Stock", "Stock"};
constexpr Wording relevance_label{"Relevancia", "Relevance"};

template <typename... Args>
std::string say(const Wording& wording, Language language, Args&&... args) {
    return fmt::format(fmt::runtime(wording[language]), std::forward<Args>(args)...);
}

std::string stock_count(std::int64_t stock, Language language) {
    if (stock <= 0) return std::string{Wording{"sin stock", "out of stock"}[language]};
    if (stock == 1) return std::string{Wording{"1 unidad", "1 unit"}[language]};
    return say({"{} unidades", "{} units"}, language, stock);
}

std::string category_of(const Hit& hit) {
    std::string category = shown_text(search::shown_category(hit), most_field);
    std::ranges::replace(category, '_', ' ');
    return category;
}

/// "Marca: ASUS · Modelo: G513RM", without what is empty.
class Fields {
public:
    explicit Fields(Language language) : language_(language) {}
    Fields& add(const Wording& label, const std::string& value) {
        if (value.empty()) return *this;
        if (!text_.empty()) text_ += " · ";
        text_ += fmt::format("{}: {}", label[language_], value);
        return *this;
    }
    const std::string& text() const noexcept { return text_; }

private:
    Language language_;
    std::string text_;
};

std::string named_fields(const Hit& hit, Language language) {
    return Fields{language}
        .add(brand_label, shown_text(hit.brand, most_field))
        .add(category_label, category_of(hit))
        .add(model_label, shown_text(hit.model, most_field))
        .text();
}

std::string relevance_of(const Hit& hit) {
    return hit.similarity ? fmt::format("{:.0f} %", std::clamp(*hit.similarity, 0.0, 1.0) * 100) : std::string{};
}

std::string figures(const Hit& hit, Language language) {
    return Fields{language}
        .add(price_label, price_text(hit.price, language))
        .add(stock_label, stock_count(hit.stock, language))
        .add(relevance_label, relevance_of(hit))
        .text();
}

/// " de Lenovo hasta $500,00 en stock"
std::string conditions_of(const Intent& intent, bool drops_names, Language language) {
    std::string text;
    if (intent.brand && !drops_names)
        text += say({" de {}", " by {}"}, language, shown_text(*intent.brand, most_field));
    if (intent.price_min && intent.price_max)
        text += say({" entre {} y {}", " between {} and {}"}, language, price_text(*intent.price_min, language),
                    price_text(*intent.price_max, language));
    else if (intent.price_max)
        text += say({" hasta {}", " up to {}"}, language, price_text(*intent.price_max, language));
    else if (intent.price_min)
        text += say({" desde {}", " from {}"}, language, price_text(*intent.price_min, language));
    if (intent.in_stock) text += Wording{" en stock", " in stock"}[language];
    if (intent.wants_sale) text += Wording{" en oferta", " on sale"}[language];
    return text;
}

std::string heading(const FoundText& found, Language language) {
    const std::string conditions = conditions_of(found.intent, found.drops_names, language);
    if (found.offset > 0) return std::string{Wording{"Más opciones", "More options"}[language]} + conditions + ":";
    if (found.products.size() == 1)
        return say({"Encontré 1 producto{}:", "I found 1 product{}:"}, language, conditions);
    return say({"Encontré {} productos{}:", "I found {} products{}:"}, language, found.products.size(), conditions);
}

/// What stands in the way, for a customer.
std::string reasons_of(const NothingText& nothing, Language language) {
    if (nothing.diagnosis == nullptr) return {};
    const search::Diagnosis& diagnosis = *nothing.diagnosis;
    if (diagnosis.products == 0)
        return std::string{
            Wording{" El catálogo no tiene productos todavía.", " The catalog has no products yet."}[language]};
    std::string text;
    if (diagnosis.is_short) text += Wording{" La pregunta es muy corta.", " The question is very short."}[language];
    if (diagnosis.passing == 0)
        text += Wording{" Ningún producto cumple todo lo que pediste.",
                        " No product meets all that you asked for."}[language];
    return text;
}

std::string advice(bool had_prices, Language language) {
    std::string text{Wording{"Probá con otras palabras, con una categoría o con una marca",
                             "Try other words, a category or a brand"}[language]};
    if (had_prices) text += Wording{", o con otro rango de precios", ", or another range of prices"}[language];
    text += Wording{". También podés pedirme el catálogo.", ". You can also ask for the catalog."}[language];
    return text;
}

}  // namespace

std::string price_text(double price, Language language) {
    const auto cents = static_cast<std::int64_t>(std::llround(std::clamp(price, -1e12, 1e12) * 100));
    std::string whole = std::to_string(std::abs(cents) / 100);
    const bool is_spanish = language == Language::spanish;
    for (std::size_t at = whole.size(); at > 3;) {
        at -= 3;
        whole.insert(at, 1, is_spanish ? '.' : ',');
    }
    return fmt::format("{}${}{}{:02}", cents < 0 ? "-" : "", whole, is_spanish ? ',' : '.', std::abs(cents) % 100);
}

std::string shown_text(std::string_view text, std::size_t most_characters) {
    if (detail::find_forbidden(text) || detail::Spoken{text}.has_any(detail::order_phrases)) return {};
    std::string line{first_characters(text, most_characters)};
    if (line.size() < text.size()) line += "…";
    std::ranges::replace_if(line, [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
    return printable(line);
}

std::string shown_name(const Hit& hit) {
    std::string name = shown_text(hit.name, most_name);
    if (!name.empty()) return name;
    const std::string sku = shown_text(hit.sku, most_field);
    return sku.empty() ? "SKU -" : "SKU " + sku;
}

std::string product_list(std::span<const Hit> products, Language language) {
    std::string text;
    for (std::size_t i = 0; i < products.size(); ++i) {
        text += fmt::format("\n{}. {}\n", i + 1, shown_name(products[i]));
        if (const std::string fields = named_fields(products[i], language); !fields.empty())
            text += fmt::format("   {}\n", fields);
        text += fmt::format("   {}\n", figures(products[i], language));
    }
    return text;
}

std::string found_text(const FoundText& found, Language language) {
    std::string text;
    if (found.drops_names)
        text = std::string{Wording{"No hay nada de esa categoría o marca; esto es lo más parecido.\n",
                                   "There is nothing of that category or brand; this comes nearest.\n"}[language]};
    text += heading(found, language) + "\n" + product_list(found.products, language);
    if (found.has_more)
        text += Wording{"\nHay más: escribí «mostrame más».", "\nThere are more: say \"show me more\"."}[language];
    else if (found.products.size() == 1)
        text += Wording{"\n¿Querés más detalles?", "\nWould you like more details?"}[language];
    else
        text += Wording{"\n¿Querés detalles de alguno, o comparar dos?",
                        "\nWould you like details of one, or to compare two?"}[language];
    return text;
}

std::string nothing_text(const NothingText& nothing, Language language) {
    const std::string terms = shown_text(nothing.terms, most_field);
    std::string text =
        terms.empty() ? std::string{Wording{"No encontré productos.", "I found no products."}[language]}
                      : say({"No encontré productos para «{}».", "I found no products for \"{}\"."}, language, terms);
    text += reasons_of(nothing, language);
    if (!nothing.nearest.empty()) {
        text += Wording{"\nLo más cercano, por debajo del umbral de similitud, es:\n",
                        "\nThe nearest, below the similarity threshold, are:\n"}[language];
        text += product_list(nothing.nearest, language);
    }
    return text + "\n" + advice(nothing.had_prices, language);
}

std::string no_other_price_text(PriceWish wish, const Hit& shown, Language language) {
    const Wording wording = wish == PriceWish::cheap
                                ? Wording{"No encontré nada más barato para lo que buscás. El más barato es {}, a {}.",
                                          "I found nothing cheaper for that. The cheapest one is {}, at {}."}
                                : Wording{"No encontré nada más caro para lo que buscás. El más caro es {}, a {}.",
                                          "I found nothing dearer for that. The dearest one is {}, at {}."};
    return say(wording, language, shown_name(shown), price_text(shown.price, language));
}

std::string no_more_text(Language language) {
    return std::string{
        Wording{"No hay más productos para esa búsqueda. Podés cambiarla: otra marca, otro precio u otra "
                "categoría.",
                "There are no more products for that search. You can change it: another brand, price or "
                "category."}[language]};
}

std::string stock_text(std::span<const Hit> products, Language language) {
    std::string text;
    for (const Hit& hit : products) {
        if (!text.empty()) text += '\n';
        const std::string name = shown_name(hit);
        const std::string price = price_text(hit.price, language);
        if (hit.stock > 0)
            text += say({"Sí: {} tiene {} en stock, a {}.", "Yes: {} has {} in stock, at {}."}, language, name,
                        stock_count(hit.stock, language), price);
        else
            text += say({"No: {} está sin stock por ahora (precio {}).", "No: {} is out of stock for now (price {})."},
                        language, name, price);
    }
    return text;
}

std::string gone_text(Language language) {
    return std::string{Wording{"Ese producto ya no está en el catálogo. ¿Buscamos otro?",
                               "That product is no longer in the catalog. Shall we look for another?"}[language]};
}

std::string overview_text(const Overview& overview, Language language) {
    if (overview.products == 0)
        return std::string{
            Wording{"El catálogo no tiene productos todavía.", "The catalog has no products yet."}[language]};
    std::string text =
        say({"Tenemos {} productos. Por categoría:", "We have {} products. By category:"}, language, overview.products);
    const std::size_t shown = std::min(most_categories, overview.categories.size());
    for (std::size_t i = 0; i < shown; ++i) {
        const auto& [name, products] = overview.categories[i];
        const std::string category = shown_text(name, most_field);
        if (!category.empty()) text += fmt::format("\n- {} ({})", category, products);
    }
    if (shown < overview.categories.size())
        text += say({"\n- y {} categorías más", "\n- and {} more categories"}, language,
                    overview.categories.size() - shown);
    if (!overview.featured.empty()) {
        text += Wording{"\n\nDestacados:\n", "\n\nFeatured:\n"}[language];
        text += product_list(overview.featured, language);
    }
    return text + std::string{Wording{"\n\n¿Qué estás buscando?", "\n\nWhat are you looking for?"}[language]};
}

}  // namespace decant::chat
