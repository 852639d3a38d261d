#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "search/facets.hpp"
#include "search/filter.hpp"
#include "search/hit.hpp"
#include "search/scan_choice.hpp"
#include "store/catalog_state.hpp"
#include "store/column_model.hpp"
#include "store/embedding_indexes.hpp"
#include "store/pgvector.hpp"

namespace decant::search {

struct VectorQuery {
    std::span<const float> vector;
    Filter filter = {};
    std::uint64_t limit = 10;
    std::uint64_t offset = 0;
    double threshold = -1;  ///< least cosine similarity
    double recall = 0.98;   ///< wanted of the index: the share of the nearest rows that it is to find
    bool facets = false;
    bool explains = false;
};

struct VectorAnswer {
    std::vector<Hit> hits;  ///< the nearest first
    Scan scan = Scan::index;
    std::uint64_t passing = 0;    ///< rows that pass the filter, as the server's statistics have it
    std::uint64_t rows = 0;       ///< of the table, the same
    std::uint64_t ef_search = 0;  ///< rows that the index looks at before it sorts them; of Scan::index
    std::string plan;             ///< EXPLAIN (ANALYZE); empty unless it was asked for
    std::optional<Facets> facets = {};
    std::vector<std::string> missing = {};  ///< parts of a sharded copy that did not answer: "shard 2 of 3"
};

/// Products by the distance of their vectors. One connection, one thread at a time.
class VectorSearcher {
public:
    /// Reads what the catalog is like, once and after a change of its model; which index it has is asked again every
    /// second. Throws Error{not_found}: no catalog, no pgvector.
    explicit VectorSearcher(pg::Connection& db, const store::VectorColumns& columns = store::live_columns);

    /// Whose vectors find() compares with: that of the column, as it was told last.
    const std::optional<store::ColumnModel>& model() const noexcept { return model_; }

    /// As many rows as were asked for, whenever so many pass filter and threshold; all of them of the column's model,
    /// which is proven in the transaction that found them.
    /// Throws Error{dimension_mismatch}, and as bind; Error{source_changed} where that model is another one by now.
    VectorAnswer find(const VectorQuery& query);
    /// The same, but none where the model is another one: model() tells which, for the question to be embedded again.
    std::optional<VectorAnswer> find_unless_changed(const VectorQuery& query);

private:
    bool has_other_model();

    pg::Connection& db_;
    store::VectorColumns columns_;
    std::optional<store::ColumnModel> model_;
    store::CatalogState state_;
    store::Pgvector pgvector_;
    store::SearchedIndex index_;
    std::chrono::steady_clock::time_point index_read_;
};

/// The same, once.
inline VectorAnswer find_nearest(pg::Connection& db, const VectorQuery& query) {
    return VectorSearcher{db}.find(query);
}

}  // namespace decant::search
