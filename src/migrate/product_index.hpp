#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "catalog/uuid.hpp"
#include "chroma/metadata_text.hpp"
#include "chroma/record.hpp"
#include "pg/connection.hpp"

namespace decant::migrate {

using catalog::parse_uuid;
using catalog::text_of;
using catalog::Uuid;
using chroma::text_of;

/// The first half of a SHA-256.
using ShortDigest = std::array<char, 16>;
ShortDigest short_digest(std::string_view bytes);

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

    /// The product that the record is of, by the first of its ProductKeys that the catalog has.
    std::optional<std::uint32_t> find(const chroma::Record& record) const;

private:
    std::optional<std::uint32_t> find_id(const Uuid& id) const;
    std::optional<std::uint32_t> find_sku(std::string_view sku) const;

    std::vector<ProductRow> products_;  ///< in order of their ids
    std::vector<std::pair<ShortDigest, std::uint32_t>> skus_;
};

/// False when a text of the record's metadata is not the product's, or (where the metadata has none of these texts) its
/// document does not hold the product's name: the vector was made of another text.
bool agrees(const chroma::Record& record, const ProductRow& product);

}  // namespace decant::migrate
