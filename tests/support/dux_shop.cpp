#include "tests/support/dux_shop.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <numeric>

namespace decant::test {
namespace {

namespace json = boost::json;

constexpr int rubro_count = 12;
constexpr int sub_rubros_each = 2;
constexpr int brand_count = 15;
/// The share of articles that vanish at once above which nothing is taken for gone.
constexpr double most_vanish = 0.2;

std::string decimal(std::int64_t value, int places, char point) {
    const std::int64_t unit = places == 2 ? 100 : 10;
    return fmt::format("{}{}{:0{}}", value / unit, point, value % unit, places);
}

/// 1234567 cents as "12345.67" or in another form that says the same.
std::string money(std::int64_t cents, std::size_t form) {
    const std::int64_t whole = cents / 100;
    switch (form % 5) {
        case 0:
            return decimal(cents, 2, ',');
        case 1:
            if (whole >= 1000 && whole < 1'000'000)
                return fmt::format("{}.{:03},{:02}", whole / 1000, whole % 1000, cents % 100);
            return decimal(cents, 2, '.');
        case 2:
            return cents % 10 == 0 ? decimal(cents / 10, 1, '.') : decimal(cents, 2, '.');
        case 3:
            return cents % 100 == 0 ? std::to_string(whole) : decimal(cents, 2, '.');
        default:
            return decimal(cents, 2, '.');
    }
}

std::string quantity(std::int64_t tenths, std::size_t form) {
    if (tenths % 10 == 0 && form % 2 == 0) return std::to_string(tenths / 10);
    if (tenths < 0) return "-" + decimal(-tenths, 1, '.');
    return decimal(tenths, 1, form % 3 == 0 ? ',' : '.');
}

json::object price_row(int id, const char* list, const std::string& text) {
    return {{"id", id}, {"nombre", list}, {"precio", text}};
}

/// What form its figures and names have, and what of it is missing, goes by the article and must not change the row.
std::size_t form_of(const ShopArticle& article) {
    return std::hash<std::string>{}(article.sku) % 1000;
}

std::int64_t sum_of(const ShopArticle& article) {
    return std::accumulate(article.stock_tenths.begin(), article.stock_tenths.end(), std::int64_t{0});
}

/// Which of its figures counts: stock_disponible, without it ctd_disponible, without both stock_real.
json::object stock_row(const char* place, const std::string& text, std::size_t form) {
    json::object row{{"id", 1},
                     {"nombre", place},
                     {"ctd_disponible", form % 7 == 0 ? text : "77"},
                     {"stock_real", form % 49 == 0 ? text : "88"},
                     {"stock_reservado", "2"},
                     {"stock_disponible", text},
                     {"id_det_item", 7},
                     {"talle", nullptr},
                     {"color", nullptr}};
    if (form % 7 == 0) row.erase("stock_disponible");
    if (form % 49 == 0) row.erase("ctd_disponible");
    return row;
}

json::value enabled(bool is_enabled, std::size_t form) {
    const std::array<json::value, 4> yes{true, "SI", "s", nullptr};
    const std::array<json::value, 4> no{false, "NO", "no", "N"};
    return (is_enabled ? yes : no)[form % 4];
}

}  // namespace

Shop::Shop(std::uint64_t seed, std::size_t articles) : random_(seed) {
    for (int i = 0; i < rubro_count; ++i)
        rubros_[i] = fmt::format("Rubro {}", i);
    for (int i = 0; i < brand_count; ++i)
        brands_[i] = fmt::format("Marca {}", i);
    add(articles);
}

ShopArticle& Shop::any() {
    return articles_[pick(articles_.size())];
}

void Shop::change(std::size_t count, void (Shop::*one)(ShopArticle&)) {
    for (std::size_t i = 0; i < count; ++i)
        (this->*one)(any());
}

ShopArticle Shop::make_article() {
    const std::size_t number = ++made_;
    ShopArticle article{.sku = fmt::format("COD-{:05}", number),
                        .name = fmt::format("Artículo {} de prueba", number),
                        .stock_tenths = {},
                        .barcode = {}};
    article.rubro = pick(20) == 0 ? -1 : static_cast<int>(pick(rubro_count));
    if (article.rubro >= 0 && pick(3) != 0)
        article.sub_rubro = article.rubro * sub_rubros_each + static_cast<int>(pick(sub_rubros_each));
    article.brand = pick(8) == 0 ? -1 : static_cast<int>(pick(brand_count));
    if (pick(3) != 0) article.barcode = fmt::format("779{:010}", number);
    set_price(article);
    set_stock(article);
    return article;
}

void Shop::set_price(ShopArticle& article) {
    article.price_cents = static_cast<std::int64_t>(1 + pick(pick(2) == 0 ? 99'999 : 99'999'999));
    article.cost_cents = article.price_cents * 7 / 10;
}

void Shop::set_stock(ShopArticle& article) {
    article.stock_tenths.clear();
    for (std::size_t rows = 1 + pick(3); rows > 0; --rows)
        article.stock_tenths.push_back(static_cast<std::int64_t>(pick(4) == 0 ? pick(500) : 10 * pick(60)));
    if (pick(15) == 0) article.stock_tenths.push_back(-10 * static_cast<std::int64_t>(1 + pick(99)));
    if (pick(15) == 0) article.stock_tenths.clear();
    article.is_stock_known = pick(15) != 0;
}

void Shop::add(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
        articles_.insert(articles_.begin() + static_cast<std::ptrdiff_t>(pick(articles_.size() + 1)), make_article());
}

void Shop::remove(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
        articles_.erase(articles_.begin() + static_cast<std::ptrdiff_t>(pick(articles_.size())));
}

void Shop::rename(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
        any().name += fmt::format(" v{}", 2 + pick(90));
}

void Shop::reprice(std::size_t count) {
    change(count, &Shop::set_price);
}

void Shop::restock(std::size_t count) {
    change(count, &Shop::set_stock);
}

void Shop::move_to_other_rubros(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        ShopArticle& article = any();
        article.rubro = static_cast<int>(pick(rubro_count));
        article.sub_rubro = -1;
    }
}

void Shop::rebrand(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
        any().brand = static_cast<int>(pick(brand_count));
}

void Shop::disable(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
        any().is_enabled = false;
}

void Shop::spoil(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
        any().is_spoilt = true;
}

void Shop::mend_all() {
    for (ShopArticle& article : articles_)
        article.is_spoilt = false;
}

void Shop::forget(const std::string& sku) {
    std::erase_if(articles_, [&](const ShopArticle& article) { return article.sku == sku; });
}

void Shop::rename_rubro(int rubro, const std::string& name) {
    rubros_.at(rubro) = name;
}

void Shop::rename_brand(int brand, const std::string& name) {
    brands_.at(brand) = name;
}

json::value Shop::item_of(const ShopArticle& article) const {
    const std::size_t form = form_of(article);
    json::object item{{"cod_item", article.sku},
                      {"item", form % 4 == 0 ? "  " + article.name + " " : article.name},
                      {"costo", money(article.cost_cents, form)},
                      {"porc_iva", form % 2 == 0 ? "21.00" : "10,5"},
                      {"habilitado", enabled(article.is_enabled, form / 3)},
                      {"codigo_externo", "EXT-" + article.sku},
                      {"proveedor", {{"id_proveedor", 3}, {"proveedor", "Mayorista"}}},
                      {"fecha_creacion", "2024-03-01"}};
    if (article.barcode.empty()) {
        if (form % 2 == 0) item["codigos_barra"] = nullptr;
    } else {
        item["codigos_barra"] = json::array{json::value(article.barcode), json::value("0000000000000")};
    }
    if (article.rubro >= 0) {
        item["rubro"] = {{"id_rubro", article.rubro}, {"rubro", rubros_.at(article.rubro)}};
    } else if (form % 3 == 0) {
        item["rubro"] = {{"id_rubro", nullptr}, {"rubro", form % 2 == 0 ? json::value(nullptr) : json::value("  ")}};
    }
    if (article.sub_rubro >= 0)
        item["sub_rubro"] = {{"id", article.sub_rubro}, {"nombre", fmt::format("Subrubro {}", article.sub_rubro)}};
    else if (form % 2 == 0)
        item["sub_rubro"] = {{"id", nullptr}, {"nombre", nullptr}};
    if (article.brand >= 0)
        item["marca"] = {{"codigo_marca", fmt::format("M{}", article.brand)}, {"marca", brands_.at(article.brand)}};
    else if (form % 2 == 0)
        item["marca"] = {{"codigo_marca", nullptr}, {"marca", nullptr}};
    json::array prices{price_row(2, "MAYORISTA", "0.01")};
    prices.insert(form % 2 == 0 ? prices.begin() : prices.end(),
                  price_row(1, "LISTA GENERAL", money(article.price_cents, form / 5)));
    item["precios"] = std::move(prices);
    json::array stock{stock_row("DEPOSITO", "9999", 1)};
    for (const std::int64_t tenths : article.stock_tenths)
        stock.push_back(stock_row("LOCAL", quantity(tenths, form), form));
    if (article.is_stock_known)
        item["stock"] = std::move(stock);
    else if (form % 2 == 0)
        item["stock"] = nullptr;
    if (form % 5 != 0) item["imagen_url"] = fmt::format("https://example.org/{}.jpg", article.sku);
    if (article.is_spoilt) spoil_item(item, form);
    return item;
}

void Shop::spoil_item(json::object& item, std::size_t way) const {
    const auto spoil_price = [&](json::value text) {
        for (json::value& row : item["precios"].as_array()) {
            if (row.at("nombre") == "LISTA GENERAL") row.at("precio") = text;
        }
    };
    const auto put = [&](const char* name, json::value value) { item[name] = std::move(value); };
    const std::array<std::function<void()>, 14> ways{
        [&] { spoil_price("N/D"); },
        [&] { spoil_price(""); },
        [&] { spoil_price("-15.00"); },
        [&] { spoil_price("1.234"); },  // a thousand and more, or one and something
        [&] { spoil_price(nullptr); },
        [&] { put("precios", nullptr); },
        [&] { put("precios", json::array{price_row(2, "MAYORISTA", "10.00")}); },
        [&] { put("stock", json::array{stock_row("LOCAL", "N/D", 1)}); },
        [&] { put("item", nullptr); },
        [&] { put("item", "   "); },
        [&] { put("item", json::value(std::string(300, 'x'))); },
        [&] { put("costo", "-1.00"); },
        [&] { put("porc_iva", "21%"); },
        [&] { put("habilitado", "QUIZAS"); },
    };
    ways[way % ways.size()]();
}

json::array Shop::items() const {
    json::array all;
    for (const ShopArticle& article : articles_)
        all.push_back(item_of(article));
    return all;
}

json::array Shop::items_with_duplicates(std::size_t count) {
    json::array all = items();
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t index = pick(all.size() - 1);
        ShopArticle outdated = articles_[pick(articles_.size())];
        const auto current = std::ranges::find_if(
            all, [&](const json::value& item) { return item.at("cod_item") == json::value(outdated.sku); });
        if (outdated.is_spoilt || current < all.begin() + static_cast<std::ptrdiff_t>(index)) continue;
        outdated.price_cents += 100;
        outdated.name += " (de antes)";
        all.insert(all.begin() + static_cast<std::ptrdiff_t>(index), item_of(outdated));
    }
    return all;
}

std::string Shop::row_of(const ShopArticle& article, std::int64_t stock) const {
    const std::size_t form = form_of(article);
    // As concat_ws joins: what is NULL leaves no trace.
    std::vector<std::string> fields{article.name, decimal(article.price_cents, 2, '.'), std::to_string(stock),
                                    article.rubro >= 0 ? known_rubros_.at(article.rubro) : "Sin categoría"};
    if (article.sub_rubro >= 0) fields.push_back(fmt::format("Subrubro {}", article.sub_rubro));
    if (article.brand >= 0) fields.push_back(article.brand_name);
    if (!article.barcode.empty()) fields.push_back(article.barcode);
    fields.push_back(decimal(article.cost_cents, 2, '.'));
    fields.emplace_back(form % 2 == 0 ? "21.00" : "10.50");
    fields.push_back("EXT-" + article.sku);
    if (form % 5 != 0) fields.push_back(fmt::format("https://example.org/{}.jpg", article.sku));
    fields.emplace_back(article.is_enabled ? "t" : "f");
    return fmt::format("{}", fmt::join(fields, "|"));
}

std::map<std::string, std::string> Shop::rows() const {
    std::map<std::string, std::string> rows;
    for (const auto& [sku, known] : known_)
        rows.emplace(sku, row_of(known.article, known.stock));
    return rows;
}

std::size_t Shop::active() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(known_, [](const auto& one) { return one.second.article.is_enabled; }));
}

void Shop::scan() {
    std::set<std::string> seen;
    for (const ShopArticle& article : articles_) {
        seen.insert(article.sku);
        if (article.is_spoilt) continue;
        Known& known = known_[article.sku];
        known.article = article;
        if (article.brand >= 0) known.article.brand_name = brands_.at(article.brand);
        if (article.is_stock_known) known.stock = std::max<std::int64_t>(sum_of(article), 0) / 10;
        if (article.rubro >= 0) known_rubros_[article.rubro] = rubros_.at(article.rubro);
    }
    std::vector<Known*> gone;
    for (auto& [sku, known] : known_) {
        if (!seen.contains(sku) && known.article.is_enabled) gone.push_back(&known);
    }
    if (static_cast<double>(gone.size()) > most_vanish * static_cast<double>(active())) return;
    for (Known* known : gone)
        known->article.is_enabled = false;
}

Shop::OddStock Shop::odd_stock() const {
    OddStock odd;
    for (const ShopArticle& article : articles_) {
        if (article.is_spoilt || !article.is_stock_known) continue;
        if (sum_of(article) < 0)
            ++odd.negative;
        else if (sum_of(article) % 10 != 0)
            ++odd.fractional;
    }
    return odd;
}

std::set<std::string> Shop::spoilt() const {
    std::set<std::string> skus;
    for (const ShopArticle& article : articles_) {
        if (article.is_spoilt) skus.insert(article.sku);
    }
    return skus;
}

}  // namespace decant::test
