#pragma once

#include <vector>

#include "embed/embedder.hpp"
#include "pg/connection.hpp"
#include "quality/judged_set.hpp"
#include "quality/threshold.hpp"

namespace decant::quality {

/// One a query, in their order.
struct QueryVectors {
    std::vector<std::vector<float>> vectors;
    std::vector<double> milliseconds;
};

/// Each query alone, as a search embeds it. Throws what the embedder throws, Error{request_invalid} naming the query
/// that it refuses, and Error{cancelled} after SIGINT.
QueryVectors embed_queries(embed::Embedder& embedder, const JudgedSet& set);

struct ScoreOptions {
    std::size_t limit = 10;  ///< hits a query
    int relevant = 1;        ///< least grade that counts
};

/// What PostgreSQL finds for the queries by their vectors, without a threshold.
std::vector<ScoredQuery> score_queries(pg::Connection& db, const JudgedSet& set, const QueryVectors& queries,
                                       const ScoreOptions& options);

/// Similarities of every query to 200 products drawn by chance, or all where there are fewer.
std::vector<double> chance_similarities(pg::Connection& db, const QueryVectors& queries);

}  // namespace decant::quality
