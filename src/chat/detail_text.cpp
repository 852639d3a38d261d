// The words of answers about one product, or two side by side, and of talk besides products.

#include <fmt/format.h>

#include <algorithm>

#include "chat/answer_text.hpp"
#include "core/table.hpp"
#include "core/utf8.hpp"

namespace decant::chat {
namespace {

constexpr std::size_t most_description = 300;
constexpr std::size_t most_cell = 40;
constexpr std::size_t most_rows = 8;

std::string details_of(const ProductFacts& product, Language language) {
    std::string text = product_list({&product.hit, 1}, language);
    text.erase(0, std::string_view{"\n1. "}.size());
    if (const std::string description = shown_text(product.hit.description, most_description); !description.empty())
        text += fmt::format("   {}\n", description);
    if (const std::string specs = shown_text(product.specs, most_description); !specs.empty())
        text += fmt::format("   {}: {}\n", Wording{"Especificaciones", "Specifications"}[language], specs);
    return text;
}

std::string cell(std::string_view text) {
    const std::string shown = shown_text(text, most_cell);
    return shown.empty() ? "-" : shown;
}

std::string detail_named(const ProductFacts& product, std::string_view name) {
    for (const auto& [key, value] : product.details)
        if (key == name) return cell(value);
    return "-";
}

std::vector<std::string> detail_names(std::span<const ProductFacts> products) {
    std::vector<std::string> names;
    for (const ProductFacts& product : products) {
        for (const auto& [name, value] : product.details) {
            if (names.size() < most_rows && std::ranges::find(names, name) == names.end() && cell(name) != "-")
                names.push_back(name);
        }
    }
    return names;
}

std::string cheaper_one(std::span<const ProductFacts> products, Language language) {
    const search::Hit& a = products[0].hit;
    const search::Hit& b = products[1].hit;
    if (a.price == b.price) return std::string{Wording{"Cuestan lo mismo.", "They cost the same."}[language]};
    const search::Hit& cheap = a.price < b.price ? a : b;
    return fmt::format(fmt::runtime(Wording{"El más barato es {}.", "The cheaper one is {}."}[language]),
                       shown_name(cheap));
}

}  // namespace

std::string details_text(std::span<const ProductFacts> products, Language language) {
    std::string text;
    for (const ProductFacts& product : products)
        text += (text.empty() ? "" : "\n") + details_of(product, language);
    if (text.ends_with('\n')) text.pop_back();
    return text;
}

std::string comparison_text(std::span<const ProductFacts> products, Language language) {
    std::vector<Table::Column> columns{{.title = ""}};
    for (const ProductFacts& product : products)
        columns.push_back({.title = std::string{first_characters(shown_name(product.hit), most_cell)}});
    Table table{columns};
    const auto row = [&](std::string_view label, const auto& value_of) {
        std::vector<std::string> cells{std::string{label}};
        for (const ProductFacts& product : products)
            cells.push_back(value_of(product));
        table.add_row(std::move(cells));
    };
    row(Wording{"Precio", "Price"}[language],
        [&](const ProductFacts& product) { return price_text(product.hit.price, language); });
    row("Stock",
        [](const ProductFacts& product) { return std::to_string(std::max<std::int64_t>(product.hit.stock, 0)); });
    row(Wording{"Marca", "Brand"}[language], [](const ProductFacts& product) { return cell(product.hit.brand); });
    row(Wording{"Categoría", "Category"}[language], [](const ProductFacts& product) {
        std::string category = cell(search::shown_category(product.hit));
        std::ranges::replace(category, '_', ' ');
        return category;
    });
    row(Wording{"Modelo", "Model"}[language], [](const ProductFacts& product) { return cell(product.hit.model); });
    for (const std::string& name : detail_names(products))
        row(cell(name), [&](const ProductFacts& product) { return detail_named(product, name); });
    return table.text() + "\n" + cheaper_one(products, language);
}

std::string no_comparison_text(std::string_view name, Language language) {
    const std::string shown = shown_text(name, most_cell);
    if (shown.empty())
        return std::string{
            Wording{"Decime qué dos productos querés comparar, por nombre o por su lugar en la lista.",
                    "Tell me which two products to compare, by name or by their place in the list."}[language]};
    return fmt::format(
        fmt::runtime(Wording{"No encontré «{}» para compararlo. Decime el nombre completo o el SKU.",
                             "I could not find \"{}\" to compare it. Tell me its full name or SKU."}[language]),
        shown);
}

std::string social_text(Act act, Language language) {
    const auto text = [&]() -> Wording {
        switch (act) {
            case Act::greet:
                return {
                    "¡Hola! Soy el asistente de productos. Podés preguntarme por un producto, una categoría, una "
                    "marca, precios o stock. ¿Qué estás buscando?",
                    "Hello! I am the product assistant. You can ask me for a product, a category, a brand, prices or "
                    "stock. What are you looking for?"};
            case Act::thank:
                return {"¡De nada! ¿Te ayudo con algo más?", "You are welcome! Is there anything else?"};
            case Act::part:
                return {"¡Hasta luego! Gracias por tu visita.", "Goodbye! Thank you for your visit."};
            case Act::human:
                return {
                    "Entiendo: dejo anotado que querés hablar con una persona del equipo. Mientras tanto puedo seguir "
                    "ayudándote con productos, precios y stock.",
                    "I understand: I have noted that you want to talk to a person of the team. Meanwhile I can go on "
                    "helping you with products, prices and stock."};
            case Act::service:
                return {
                    "De envíos, pagos, pedidos y garantías no tengo información: eso lo ve una persona del equipo. Yo "
                    "puedo ayudarte con productos, precios y stock.",
                    "I have no information about delivery, payment, orders and warranties: a person of the team "
                    "sees to that. I can help you with products, prices and stock."};
            case Act::unsettled:
                return {"Todavía no te mostré productos para elegir. Decime qué buscás, por ejemplo «notebook gamer».",
                        "I have not shown you any products to choose from yet. Tell me what you are looking for, for "
                        "example \"gaming laptop\"."};
            case Act::off_topic:
                return {
                    "Solo puedo ayudarte con los productos de la tienda: buscar, comparar, precios y stock. ¿Qué "
                    "producto te interesa?",
                    "I can only help with the products of the shop: searching, comparing, prices and stock. Which "
                    "product are you interested in?"};
            default:
                return {
                    "Puedo buscar productos por lo que necesitás, por categoría, marca o precio; decirte el stock, "
                    "mostrar detalles y comparar dos. Por ejemplo: «monitor hasta 300», «¿y más barato?», «compará "
                    "los dos primeros».",
                    "I can look for products by what you need, by category, brand or price; tell you the stock, show "
                    "details and compare two. For example: \"monitor under 300\", \"a cheaper one\", \"compare the "
                    "first two\"."};
        }
    }();
    return std::string{text[language]};
}

}  // namespace decant::chat
