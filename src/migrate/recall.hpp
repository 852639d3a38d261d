#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "migrate/row_encoder.hpp"
#include "migrate/target_table.hpp"
#include "pg/connection.hpp"
#include "store/pgvector.hpp"

namespace decant::migrate {

inline constexpr std::size_t recall_queries = 200;
inline constexpr std::size_t recall_k = 10;
inline constexpr double recall_floor = 0.95;

struct RecallOutcome {
    std::size_t queries = 0;
    double recall = 0;  ///< recall@10: the share of true nearest neighbours that the index returned
    double exact_seconds = 0;
    double index_seconds = 0;
};

/// Exact distance of the k-th neighbour of each query, over vectors that are streamed past. The same for all spaces:
/// smaller is nearer. Vectors are taken in blocks so that a block and the queries stay in the cache.
class ExactNeighbours {
public:
    ExactNeighbours(catalog::Space space, std::vector<std::vector<float>> queries);
    void add(const std::vector<float>& vector);
    /// One a query; infinity when there were less than k vectors. Comparable with pgvector's operator value (l2 not
    /// squared). Call once, after the last add.
    std::vector<double> kth_distances();

private:
    void flush();
    void keep(std::size_t query, float distance);

    static constexpr std::size_t lanes = 16;
    catalog::Space space_;
    std::size_t dimension_;
    std::vector<std::vector<float>> queries_;
    std::vector<float> query_norms_;  ///< squared
    std::vector<float> block_;        ///< dimension x lanes: one column a vector
    std::vector<float> block_norms_;  ///< squared
    std::size_t filled_ = 0;
    std::vector<std::vector<float>> nearest_;  ///< a max-heap of k a query
};

/// recall@10 of a table's vector index for up to 200 of its stored vectors. The exact side is computed here while the
/// vectors are read back for verification; the index side asks PostgreSQL with sequential scans off.
class RecallProbe {
public:
    RecallProbe(pg::Connection& db, const TableName& table, const RowShape& shape);

    bool is_usable() const noexcept { return !queries_.empty(); }
    void add_row(std::string_view image);
    RecallOutcome measure(pg::Connection& db, const store::Pgvector& pgvector);

private:
    TableName table_;
    RowShape shape_;
    std::vector<std::vector<float>> queries_;
    std::vector<ExactNeighbours> exact_;  ///< one, or none when there is no query
    std::vector<float> scratch_;
    double exact_seconds_ = 0;
};

}  // namespace decant::migrate
