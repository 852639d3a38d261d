#pragma once

#include <chrono>
#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "core/enum_names.hpp"
#include "search/vector_search.hpp"
#include "store/pgvector.hpp"
#include "store/sharded_catalog.hpp"

namespace decant::search {

/// What a search does while a shard does not answer: go on with the others and say so, or fail.
enum class ShardFailure { partial, error };
inline constexpr EnumNames<ShardFailure, 2> shard_failure_names{{"partial", "error"}};

/// Products by the distance of their vectors in the sharded copy of the catalog: each shard's HNSW index gives its
/// nearest, which are merged here, and the catalog itself gives the products, held against the filter as they are now.
/// One connection, one thread at a time.
class ShardSearcher {
public:
    /// Throws Error{not_found}: no copy, no pgvector.
    ShardSearcher(pg::Connection& db, ShardFailure on_failure);

    /// The model that made the copy's vectors.
    const std::string& model() const noexcept { return catalog_.model; }

    /// As VectorSearcher::find; `missing` tells which shards did not answer, as in "shard 2 of 3". Throws
    /// Error{dimension_mismatch}; Error{source_unavailable}: no shard answers, or one does not and on_failure is error.
    VectorAnswer find(const VectorQuery& query);

private:
    using Clock = std::chrono::steady_clock;

    /// What is left to ask.
    std::vector<std::string> live_tables();
    std::vector<std::string> missing() const;
    /// Whether asking once more may help.
    bool look_into(const Error& error);
    bool answers(const store::CatalogShard& shard);

    pg::Connection& db_;
    ShardFailure on_failure_;
    store::Pgvector pgvector_;
    store::ShardedCatalog catalog_;
    std::set<std::size_t> down_;  ///< places of shards that did not answer
    Clock::time_point looked_{};  ///< when that was found
};

}  // namespace decant::search
