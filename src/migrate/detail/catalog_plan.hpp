#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "chroma/record_reader.hpp"
#include "migrate/catalog_migration.hpp"
#include "migrate/product_index.hpp"

namespace decant::migrate::detail {

inline constexpr std::uint32_t no_product = std::numeric_limits<std::uint32_t>::max();

/// What Chroma has for one product.
struct Choice {
    enum class State : std::uint8_t { no_record, unusable, stale, usable, conflicting };
    State state = State::no_record;
    bool is_planned = false;   ///< to be written
    bool is_embedded = false;  ///< planned, and Chroma has no usable vector
    std::uint32_t record = 0;  ///< its position in the source
    ShortDigest vector{};      ///< of the vector as PostgreSQL sends it
};

/// Which record's vector goes into which product. Made by one pass over the source, whose records a second pass takes
/// in the same order.
struct CatalogPlan {
    std::vector<Choice> choices;                  ///< one a product, in the index's order
    std::vector<std::uint32_t> products;          ///< of the record at that position, or no_product: not to be written
    std::map<std::uint32_t, std::string> faults;  ///< why a product's vector is not usable
    std::uint64_t unmatched_records = 0;
    std::uint64_t planned = 0;  ///< with vectors of Chroma's

    /// What a vector of Chroma's was made of, of some of the records with a usable one.
    struct Sample {
        std::string document;
        std::vector<float> vector;
    };
    std::vector<Sample> samples;
};

inline constexpr std::size_t probed_documents = 16;

/// What the source has for each product; rewinds the reader when it is done.
CatalogPlan read_source(chroma::RecordReader& reader, const ProductIndex& index, const MigrationRequest& request,
                        const RowShape& shape);

/// Decides what is written: what is wanted and has a usable vector, and with `embeds` everything else that is wanted.
/// Without `reuses` no vector of Chroma's counts as usable.
void choose(CatalogPlan& plan, const ProductIndex& index, const MigrationRequest& request, bool embeds, bool reuses);

/// The vector as PostgreSQL's binary form has it.
std::string wire_vector(std::span<const float> vector);

}  // namespace decant::migrate::detail
