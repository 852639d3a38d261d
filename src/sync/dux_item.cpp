#include "sync/dux_item.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <array>
#include <utility>

#include "core/sha256.hpp"
#include "core/utf8.hpp"
#include "sync/detail/item_cut.hpp"

namespace decant::sync {
namespace {

namespace dom = simdjson::dom;

constexpr std::string_view no_category = "Sin categoría";
/// Two of one name are told apart as `60 characters of it (id)`, in 100 characters (store/sync_store).
constexpr std::size_t most_category_id = 37;

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    return text.substr(0, text.find_last_not_of(blanks) + 1);
}

/// A member that is there and not null.
std::optional<dom::element> given(const dom::element& object, std::string_view name) {
    dom::element member;
    if (object[name].get(member) != simdjson::SUCCESS || member.is_null()) return std::nullopt;
    return member;
}

/// "1234.5" of the number: the shortest that reads back as it, which is what was written where that had 15 digits.
std::optional<std::string> number_text(const dom::element& number) {
    if (number.is_int64()) return fmt::format("{}", std::int64_t{number});
    if (number.is_uint64()) return fmt::format("{}", std::uint64_t{number});
    if (number.is_double()) return fmt::format("{}", double{number});
    return std::nullopt;
}

/// One item. The first fault is the one that counts.
class ItemReader {
public:
    ItemReader(const dom::element& item, const DuxReading& reading) : item_(item), reading_(reading) {}

    Incoming read() {
        out_.raw = simdjson::minify(item_);
        if (!item_.is_object()) {
            fail("the item is no object");
            return finish();
        }
        read_sku();
        read_texts();
        read_figures();
        read_stock();
        read_active();
        read_category();
        if (holds_nul(out_.raw)) fail("it holds U+0000, which no text may hold");
        return finish();
    }

private:
    void fail(std::string reason) {
        if (!out_.fault) out_.fault = std::move(reason);
    }

    Incoming finish() {
        if (!out_.has_sku) out_.key = "#" + hex(sha256(out_.raw));
        return std::move(out_);
    }

    /// Its text without blanks around it; a number as it is written. Empty: not there, or blank.
    std::string text_of(const dom::element& object, std::string_view name) {
        const auto member = given(object, name);
        if (!member) return {};
        if (member->is_string()) return std::string{trimmed(std::string_view{*member})};
        if (const auto number = number_text(*member)) return *number;
        fail(fmt::format("{} is no text", name));
        return {};
    }

    /// A member that is an object, if it is given.
    std::optional<dom::element> object_in(std::string_view name) {
        const auto member = given(item_, name);
        if (!member || member->is_object()) return member;
        fail(fmt::format("{} is no object", name));
        return std::nullopt;
    }

    /// Objects of a list, if it is given; nothing of one that holds anything else.
    std::optional<dom::array> rows_in(std::string_view name) {
        const auto member = given(item_, name);
        if (!member) return std::nullopt;
        if (!member->is_array()) {
            fail(fmt::format("{} is no list", name));
            return std::nullopt;
        }
        const dom::array rows{*member};
        for (const dom::element row : rows) {
            if (row.is_object()) continue;
            fail(fmt::format("a row of {} is no object", name));
            return std::nullopt;
        }
        return rows;
    }

    void set(std::string_view column, const std::string& text, bool is_number = false) {
        if (text.empty()) return;
        const catalog::ProductField* field = catalog::find_field(column);
        if (const auto reason = catalog::set_field(out_.product, *field, {.text = text, .is_number = is_number}))
            fail(fmt::format("{} {}", column, *reason));
    }

    void read_sku() {
        const std::string sku = text_of(item_, "cod_item");
        if (sku.empty()) return fail("it has no cod_item");
        set("sku", sku);
        out_.has_sku = out_.product.sku.has_value() && !out_.fault;
        out_.key = sku;
    }

    void read_texts() {
        const std::string name = text_of(item_, "item");
        if (name.empty()) fail("it has no name");
        set("name", name);
        set("external_code", text_of(item_, "codigo_externo"));
        set("image_url", text_of(item_, "imagen_url"));
        const auto barcodes = given(item_, "codigos_barra");
        if (!barcodes) return;
        if (!barcodes->is_array()) return fail("codigos_barra is no list");
        for (const dom::element barcode : dom::array{*barcodes}) {
            if (!barcode.is_string()) return fail("a barcode is no text");
            return set("barcode", std::string{trimmed(std::string_view{barcode})});
        }
    }

    /// None where it is not there or blank.
    std::optional<std::string> amount_of(const dom::element& object, std::string_view name) {
        const auto member = given(object, name);
        if (!member) return std::nullopt;
        if (member->is_string() && trimmed(std::string_view{*member}).empty()) return std::nullopt;
        const bool is_number = !member->is_string();
        const auto text = is_number ? number_text(*member) : std::string{std::string_view{*member}};
        if (!text) {
            fail(fmt::format("{} is no figure", name));
            return std::nullopt;
        }
        AmountReading amount = read_amount(*text, is_number ? DecimalMark::point : reading_.mark);
        if (!amount.value) fail(fmt::format("{} {}", name, amount.fault));
        return std::move(amount.value);
    }

    void set_amount(std::string_view column, std::string_view name, const std::optional<std::string>& amount) {
        if (!amount) return;
        if (amount->starts_with('-')) return fail(fmt::format("{} {} is negative", name, *amount));
        set(column, *amount, true);
    }

    void read_figures() {
        set_amount("cost", "costo", amount_of(item_, "costo"));
        set_amount("tax_percentage", "porc_iva", amount_of(item_, "porc_iva"));
        if (const auto prices = rows_in("precios")) {
            for (const dom::element price : *prices) {
                if (text_of(price, "nombre") != reading_.price_list) continue;
                const auto amount = amount_of(price, "precio");
                if (!amount) return fail(fmt::format("its price in list '{}' is blank", reading_.price_list));
                return set_amount("price", "precio", amount);
            }
        }
        fail(fmt::format("it has no price in list '{}'", reading_.price_list));
    }

    void read_stock() {
        const auto rows = rows_in("stock");
        if (!rows) return;
        constexpr std::array<std::string_view, 3> members{"stock_disponible", "ctd_disponible", "stock_real"};
        AmountSum sum;
        for (const dom::element row : *rows) {
            if (text_of(row, "nombre") != reading_.stock_location) continue;
            std::optional<std::string> amount;
            for (const std::string_view member : members)
                if (!amount) amount = amount_of(row, member);
            if (!amount) return fail(fmt::format("its stock at '{}' is blank", reading_.stock_location));
            sum.add(*amount);
        }
        out_.was_stock_negative = sum.is_negative();
        out_.was_stock_rounded = !sum.is_negative() && sum.has_fraction();
        const std::optional<int> whole = sum.is_negative() ? 0 : sum.whole();
        if (!whole) return fail("its stock is more than can be kept");
        out_.product.stock = *whole;
    }

    void read_active() {
        out_.product.active = true;
        const auto enabled = given(item_, "habilitado");
        if (!enabled) return;
        if (enabled->is_bool()) {
            out_.product.active = bool{*enabled};
            return;
        }
        std::string text = text_of(item_, "habilitado");
        for (char& c : text)
            if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
        if (text == "NO" || text == "N")
            out_.product.active = false;
        else if (text != "SI" && text != "S" && text != "SÍ" && text != "Sí")
            fail(fmt::format("habilitado '{}' is neither SI nor NO", printable(text)));
    }

    void read_category() {
        std::string name;
        if (const auto category = object_in("rubro")) {
            name = text_of(*category, "rubro");
            if (!name.empty()) out_.category_id = text_of(*category, "id_rubro");
        }
        if (count_characters(out_.category_id) > most_category_id)
            fail(fmt::format("id_rubro has more than {} characters", most_category_id));
        set("category", name.empty() ? std::string{no_category} : name);
        if (const auto subcategory = object_in("sub_rubro")) set("subcategory", text_of(*subcategory, "nombre"));
        if (const auto brand = object_in("marca")) set("brand", text_of(*brand, "marca"));
    }

    const dom::element& item_;
    const DuxReading& reading_;
    Incoming out_;
};

std::optional<dom::element> list_of(const dom::element& answer) {
    auto items = given(answer, "results");
    if (!items) items = given(answer, "datos");
    return items && items->is_array() ? items : std::nullopt;
}

/// A page without its items.
Page read_frame(const dom::element& answer, std::size_t offset) {
    const auto no_page = [&](std::string reason) { return Page{.offset = offset, .fault = std::move(reason)}; };
    if (!answer.is_object()) return no_page("the answer is no JSON object");
    if (!list_of(answer)) return no_page("the answer has no list of items");
    auto paging = given(answer, "paging");
    if (!paging) paging = given(answer, "paginacion");
    const auto total = paging ? given(*paging, "total") : std::nullopt;
    std::int64_t count = 0;
    if (!total || total->get(count) != simdjson::SUCCESS || count < 0)
        return no_page("the answer does not say how many items there are");
    return {.offset = offset, .total = static_cast<std::uint64_t>(count)};
}

}  // namespace

struct DuxPages::Parser {
    dom::parser json;

    /// An item of an answer that is no JSON as a whole. None where it is none even mended.
    std::optional<Incoming> read_alone(std::string_view text, const DuxReading& reading);
};

std::optional<Incoming> DuxPages::Parser::read_alone(std::string_view text, const DuxReading& reading) {
    dom::element item;
    if (json.parse(simdjson::padded_string{text}).get(item) == simdjson::SUCCESS)
        return ItemReader{item, reading}.read();
    const std::string mended = detail::mended_item(text);
    if (json.parse(simdjson::padded_string{mended}).get(item) != simdjson::SUCCESS) return std::nullopt;
    Incoming read = ItemReader{item, reading}.read();
    read.fault = "it is no JSON: a text that is no Unicode, or a number that is too large";
    if (read.key.find(detail::mended_character) != std::string::npos) read.has_sku = false;
    read.raw = valid_utf8(text);
    std::erase(read.raw, '\0');
    return read;
}

DuxPages::DuxPages(DuxReading reading) : reading_(std::move(reading)), parser_(std::make_unique<Parser>()) {}

DuxPages::~DuxPages() = default;

Page DuxPages::read(std::string_view body, std::size_t offset) {
    dom::element answer;
    if (parser_->json.parse(simdjson::padded_string{body}).get(answer) == simdjson::SUCCESS) {
        Page page = read_frame(answer, offset);
        if (page.fault.empty())
            for (const dom::element item : dom::array{*list_of(answer)})
                page.items.push_back(ItemReader{item, reading_}.read());
        return page;
    }
    const auto cut = detail::cut_items(body, {"results", "datos"});
    if (!cut || parser_->json.parse(simdjson::padded_string{cut->frame}).get(answer) != simdjson::SUCCESS)
        return {.offset = offset, .fault = "the answer is no JSON"};
    Page page = read_frame(answer, offset);
    for (const std::string_view item : page.fault.empty() ? cut->items : std::vector<std::string_view>{}) {
        std::optional<Incoming> read = parser_->read_alone(item, reading_);
        // Which product it is cannot be told, so nobody may be taken for gone.
        if (!read) return {.offset = offset, .fault = "an item of it is no JSON"};
        page.items.push_back(std::move(*read));
    }
    return page;
}

}  // namespace decant::sync
