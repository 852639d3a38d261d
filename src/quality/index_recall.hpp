#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "pg/connection.hpp"

namespace decant::quality {

/// An index that finds a smaller share of the true nearest is to be built anew.
inline constexpr double least_index_recall = 0.95;

struct RecallOptions {
    std::vector<double>
        selectivities;  ///< the share of the products that a filter passes, over 0 up to 1; 1: no filter
    std::size_t queries = 100;
    std::size_t k = 10;
    std::uint64_t seed = 42;
};

/// Latencies in milliseconds.
struct Latency {
    double p50 = 0;
    double p95 = 0;
};

/// The search against the exact scan, under filters of one selectivity.
struct FilteredRecall {
    double selectivity = 1;
    double passing = 0;  ///< the mean share that passed; more than asked for where products have the same price
    double recall = 0;   ///< the share of the true nearest that the search returned
    std::size_t rows_wanted = 0;  ///< k a query, or all that pass where fewer do
    std::size_t rows = 0;
    std::size_t by_index = 0;  ///< queries that the index answered; where an exact scan is cheaper, search takes that
    Latency search = {};
    Latency exact = {};
};

struct IndexRecall {
    std::size_t products = 0;                   ///< active ones with an embedding
    std::size_t queries = 0;                    ///< stored vectors that were asked for
    std::vector<FilteredRecall> filtered = {};  ///< one a selectivity, in their order
};

/// Stored vectors, drawn by the seed, are searched for as search/ does it, under price ranges that pass a given share
/// of the products: a range starts at another price for each query, so that it says nothing about the vector. Changes
/// nothing in the database. Throws Error{not_found}: no product with an embedding; what VectorSearcher throws;
/// Error{cancelled} when `progressed`, told how many searches of how many are done, says false.
IndexRecall measure_index_recall(pg::Connection& db, const RecallOptions& options,
                                 const std::function<bool(std::size_t done, std::size_t total)>& progressed);

}  // namespace decant::quality
