#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chroma/record.hpp"
#include "pg/connection.hpp"

namespace decant::migrate {

/// The bytes of a uuid, in the order in which it is written.
using Uuid = std::array<unsigned char, 16>;

/// None when `text` is not 8-4-4-4-12 hexadecimal digits.
std::optional<Uuid> parse_uuid(std::string_view text);
std::string text_of(const Uuid& id);

/// The first half of a SHA-256.
using ShortDigest = std::array<char, 16>;
ShortDigest short_digest(std::string_view bytes);

/// Text of a metadata value: a string as it is, an integer in digits, a float as PostgreSQL writes it, a boolean as
/// true or false. None for a list.
std::optional<std::string> text_of(const chroma::MetadataValue& value);

/// The value under `key`; null when the record has none.
const chroma::MetadataValue* find_metadata(const chroma::Record& record, std::string_view key);

/// One product as the catalog had it when the index was loaded.
struct ProductRow {
    static constexpr std::size_t texts = 8;

    Uuid id;
    std::int32_t version = 0;  ///< embedding_version: another one at the write means that the text changed meanwhile
    bool is_active = false;
    bool has_embedding = false;
    bool is_written = false;  ///< embedded since the run began that load() was given
    std::string name;
    std::array<std::uint64_t, texts> digests{};  ///< of what may stand in a record's metadata too; 0 for none
};

/// All products, small enough to be held (about 200 bytes each), by id and by sku.
class ProductIndex {
public:
    /// `run_id` is of a row of decant.runs.
    void load(pg::Connection& db, std::optional<std::int64_t> run_id);

    const std::vector<ProductRow>& products() const noexcept { return products_; }

    /// The product that the record is of: by metadata product_id, then sku, then the record's own id (as the
    /// product's id or sku).
    std::optional<std::uint32_t> find(const chroma::Record& record) const;

private:
    std::optional<std::uint32_t> find_id(std::string_view text) const;
    std::optional<std::uint32_t> find_sku(std::string_view sku) const;

    std::vector<ProductRow> products_;  ///< in order of their ids
    std::vector<std::pair<ShortDigest, std::uint32_t>> skus_;
};

/// False when a text of the record's metadata is not the product's, or (where the metadata has none of these texts) its
/// document does not hold the product's name: the vector was made of another text.
bool agrees(const chroma::Record& record, const ProductRow& product);

}  // namespace decant::migrate
