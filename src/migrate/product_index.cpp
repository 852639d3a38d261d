#include "migrate/product_index.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <span>

#include "chroma/product_key.hpp"
#include "core/sha256.hpp"
#include "pg/binary_row.hpp"
#include "pg/copy.hpp"

namespace decant::migrate {
namespace {

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

}  // namespace

ShortDigest short_digest(std::string_view bytes) {
    const Digest digest = sha256(bytes);
    ShortDigest out;
    std::memcpy(out.data(), digest.data(), out.size());
    return out;
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

std::optional<std::uint32_t> ProductIndex::find_id(const Uuid& id) const {
    const auto found = std::ranges::lower_bound(products_, id, {}, &ProductRow::id);
    if (found == products_.end() || found->id != id) return std::nullopt;
    return static_cast<std::uint32_t>(found - products_.begin());
}

std::optional<std::uint32_t> ProductIndex::find_sku(std::string_view sku) const {
    const ShortDigest digest = short_digest(sku);
    const auto found = std::ranges::lower_bound(skus_, digest, {}, &std::pair<ShortDigest, std::uint32_t>::first);
    if (found == skus_.end() || found->first != digest) return std::nullopt;
    return found->second;
}

std::optional<std::uint32_t> ProductIndex::find(const chroma::Record& record) const {
    const chroma::ProductNameTexts texts{record};
    for (const chroma::ProductKey& key : chroma::ProductKeys{texts.names()}) {
        const auto* id = std::get_if<Uuid>(&key);
        const auto product = id != nullptr ? find_id(*id) : find_sku(std::get<std::string_view>(key));
        if (product) return product;
    }
    return std::nullopt;
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
