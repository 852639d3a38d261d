#include "migrate/product_index.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <span>

#include "core/sha256.hpp"
#include "pg/binary_row.hpp"
#include "pg/copy.hpp"

namespace decant::migrate {
namespace {

constexpr std::array<std::size_t, 4> hyphens{8, 13, 18, 23};
constexpr std::size_t uuid_characters = 36;

/// Columns of ProductRow::digests, in the order of select_sql.
enum Text : std::uint8_t { name, model, description, specs, brand, brand_display, category, category_display };

struct MetadataText {
    std::string_view key;
    Text column;
    Text other;  ///< the value may stand here instead
};

constexpr std::array metadata_texts{
    MetadataText{"name", name, name},
    MetadataText{"model", model, model},
    MetadataText{"description", description, description},
    MetadataText{"specs", specs, specs},
    MetadataText{"brand", brand, brand_display},
    MetadataText{"brand_name", brand, brand_display},
    MetadataText{"category", category, category_display},
    MetadataText{"category_name", category, category_display},
    MetadataText{"category_display_name", category_display, category_display},
};

constexpr std::string_view select_sql =
    "COPY (SELECT p.id, p.sku, coalesce(p.embedding_version, 0), p.active IS TRUE, p.embedding IS NOT NULL, "
    "coalesce(p.last_embedding_update AT TIME ZONE 'UTC' >= {}, false), p.name, p.model, p.description, p.specs, "
    "b.name, b.display_name, c.name, c.display_name FROM products p LEFT JOIN brands b ON b.id = p.brand_id "
    "LEFT JOIN categories c ON c.id = p.category_id ORDER BY p.id) TO STDOUT (FORMAT binary)";

int hex_value(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// 0 stands for no text: NULL and empty are the same to an embedding.
std::uint64_t text_digest(std::string_view text) {
    return text.empty() ? 0 : std::hash<std::string_view>{}(text);
}

std::int32_t int4_of(std::string_view field) {
    std::uint32_t value = 0;
    for (const char byte : field)
        value = value << 8U | static_cast<unsigned char>(byte);
    return static_cast<std::int32_t>(value);
}

bool bool_of(std::string_view field) {
    return field == std::string_view{"\1", 1};
}

ProductRow row_of(const std::vector<std::string_view>& fields) {
    ProductRow row{.version = int4_of(fields[2]),
                   .is_active = bool_of(fields[3]),
                   .has_embedding = bool_of(fields[4]),
                   .is_written = bool_of(fields[5]),
                   .name = std::string{fields[6]}};
    std::memcpy(row.id.data(), fields[0].data(), std::min(row.id.size(), fields[0].size()));
    for (std::size_t i = 0; i < ProductRow::texts; ++i)
        row.digests[i] = text_digest(fields[6 + i]);
    return row;
}

struct ScalarText {
    std::string operator()(bool value) const { return value ? "true" : "false"; }
    std::string operator()(std::int64_t value) const { return std::to_string(value); }
    std::string operator()(double value) const { return fmt::format("{}", value); }
    std::string operator()(std::string_view value) const { return std::string{value}; }
};

}  // namespace

std::optional<Uuid> parse_uuid(std::string_view text) {
    if (text.size() != uuid_characters) return std::nullopt;
    Uuid id{};
    std::size_t digits = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool is_hyphen = std::ranges::find(hyphens, i) != hyphens.end();
        if (is_hyphen != (text[i] == '-')) return std::nullopt;
        if (is_hyphen) continue;
        const int value = hex_value(text[i]);
        if (value < 0) return std::nullopt;
        id[digits / 2] = static_cast<unsigned char>(unsigned{id[digits / 2]} << 4U | static_cast<unsigned>(value));
        ++digits;
    }
    return id;
}

std::string text_of(const Uuid& id) {
    std::string out = hex(std::as_bytes(std::span{id}));
    for (const std::size_t at : hyphens)
        out.insert(at, 1, '-');
    return out;
}

ShortDigest short_digest(std::string_view bytes) {
    const Digest digest = sha256(bytes);
    ShortDigest out;
    std::memcpy(out.data(), digest.data(), out.size());
    return out;
}

std::optional<std::string> text_of(const chroma::MetadataValue& value) {
    const auto* scalar = std::get_if<chroma::Scalar>(&value);
    if (scalar == nullptr) return std::nullopt;
    return std::visit(ScalarText{}, *scalar);
}

const chroma::MetadataValue* find_metadata(const chroma::Record& record, std::string_view key) {
    if (!record.metadata) return nullptr;
    const auto found = std::ranges::find(*record.metadata, key, &chroma::MetadataEntry::key);
    return found == record.metadata->end() ? nullptr : &found->value;
}

void ProductIndex::load(pg::Connection& db, std::optional<std::int64_t> run_id) {
    products_.clear();
    skus_.clear();
    const std::string since =
        run_id ? fmt::format("(SELECT started_at FROM decant.runs WHERE id = {})", *run_id) : "'infinity'";
    pg::Transaction tx{db, "BEGIN READ ONLY; SET LOCAL statement_timeout = 0"};
    pg::CopyOut copy{db, fmt::format(select_sql, since)};
    while (const auto tuple = copy.next()) {
        const auto fields = pg::fields_of(*tuple);
        if (!fields[1].empty())
            skus_.emplace_back(short_digest(fields[1]), static_cast<std::uint32_t>(products_.size()));
        products_.push_back(row_of(fields));
    }
    tx.commit();
    std::sort(skus_.begin(), skus_.end());
}

std::optional<std::uint32_t> ProductIndex::find_id(std::string_view text) const {
    const auto id = parse_uuid(text);
    if (!id) return std::nullopt;
    const auto found = std::ranges::lower_bound(products_, *id, {}, &ProductRow::id);
    if (found == products_.end() || found->id != *id) return std::nullopt;
    return static_cast<std::uint32_t>(found - products_.begin());
}

std::optional<std::uint32_t> ProductIndex::find_sku(std::string_view sku) const {
    if (sku.empty()) return std::nullopt;
    const ShortDigest digest = short_digest(sku);
    const auto found = std::ranges::lower_bound(skus_, digest, {}, &std::pair<ShortDigest, std::uint32_t>::first);
    if (found == skus_.end() || found->first != digest) return std::nullopt;
    return found->second;
}

std::optional<std::uint32_t> ProductIndex::find(const chroma::Record& record) const {
    const auto text_under = [&](std::string_view key) -> std::string {
        const chroma::MetadataValue* value = find_metadata(record, key);
        return value == nullptr ? std::string{} : text_of(*value).value_or("");
    };
    if (const auto product = find_id(text_under("product_id"))) return product;
    if (const auto product = find_sku(text_under("sku"))) return product;
    const auto product = find_id(record.id);
    return product ? product : find_sku(record.id);
}

bool agrees(const chroma::Record& record, const ProductRow& product) {
    bool has_text = false;
    for (const MetadataText& text : metadata_texts) {
        const chroma::MetadataValue* value = find_metadata(record, text.key);
        if (value == nullptr) continue;
        has_text = true;
        const std::uint64_t digest = text_digest(text_of(*value).value_or(""));
        if (digest != product.digests[text.column] && digest != product.digests[text.other]) return false;
    }
    return has_text || !record.document || record.document->find(product.name) != std::string_view::npos;
}

}  // namespace decant::migrate
