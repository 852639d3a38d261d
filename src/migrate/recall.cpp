#include "migrate/recall.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <iterator>
#include <limits>
#include <utility>

#include "pg/copy.hpp"

namespace decant::migrate {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

constexpr std::size_t block_lanes = 16;
using Lanes = float __attribute__((vector_size(block_lanes * sizeof(float))));

struct DotProducts {
    float* a;  ///< block_lanes each
    float* b;
    float* c;
    float* d;
};

/// Dot products of four queries with the 16 vectors of a block.
__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void dot_four(const float* const* queries,
                                                                                            const float* block,
                                                                                            std::size_t dimension,
                                                                                            const DotProducts& out) {
    Lanes sum_a{};
    Lanes sum_b{};
    Lanes sum_c{};
    Lanes sum_d{};
    for (std::size_t i = 0; i < dimension; ++i) {
        Lanes column;
        std::memcpy(&column, block + i * block_lanes, sizeof column);
        sum_a += queries[0][i] * column;
        sum_b += queries[1][i] * column;
        sum_c += queries[2][i] * column;
        sum_d += queries[3][i] * column;
    }
    std::memcpy(out.a, &sum_a, sizeof sum_a);
    std::memcpy(out.b, &sum_b, sizeof sum_b);
    std::memcpy(out.c, &sum_c, sizeof sum_c);
    std::memcpy(out.d, &sum_d, sizeof sum_d);
}

float squared_norm(const std::vector<float>& vector) {
    double sum = 0;
    for (const float value : vector)
        sum += static_cast<double>(value) * static_cast<double>(value);
    return static_cast<float>(sum);
}

std::string vector_literal(const std::vector<float>& vector) {
    std::string out = "[";
    for (const float value : vector)
        fmt::format_to(std::back_inserter(out), "{}{}", out.size() > 1 ? "," : "", value);
    return out + "]";
}

/// About `recall_queries` stored vectors, spread over the table.
std::vector<std::vector<float>> sample(pg::Connection& db, const TableName& table, const RowShape& shape) {
    const std::uint64_t rows = count_rows(db, table);
    const double percent =
        rows == 0 ? 100.0 : std::min(100.0, 100.0 * 1.5 * recall_queries / static_cast<double>(rows));
    // Sampling pages is enough where there are many; in a small table every row is looked at.
    const std::string_view method = rows > 50'000 ? "SYSTEM" : "BERNOULLI";
    pg::CopyOut copy{db, fmt::format("COPY (SELECT embedding FROM {} TABLESAMPLE {} ({}) REPEATABLE (42) "
                                     "WHERE embedding IS NOT NULL LIMIT {}) TO STDOUT (FORMAT binary)",
                                     table.quoted(db), method, percent, recall_queries)};
    std::vector<std::vector<float>> queries;
    while (const auto tuple = copy.next()) {
        std::vector<float>& query = queries.emplace_back();
        const std::string_view field = pg::fields_of(*tuple).front();
        if (shape.type == pg::VectorType::vector)
            pg::decode_vector(field, query);
        else
            pg::decode_halfvec(field, query);
        if (shape.space == catalog::Space::cosine && squared_norm(query) == 0) queries.pop_back();
    }
    return queries;
}

}  // namespace

ExactNeighbours::ExactNeighbours(catalog::Space space, std::vector<std::vector<float>> queries)
    : space_(space),
      dimension_(queries.front().size()),
      queries_(std::move(queries)),
      block_(dimension_ * lanes),
      block_norms_(lanes),
      nearest_(queries_.size()) {
    static_assert(lanes == block_lanes);
    for (const auto& query : queries_)
        query_norms_.push_back(squared_norm(query));
}

void ExactNeighbours::add(const std::vector<float>& vector) {
    for (std::size_t i = 0; i < dimension_; ++i)
        block_[i * lanes + filled_] = vector[i];
    block_norms_[filled_] = squared_norm(vector);
    if (++filled_ == lanes) flush();
}

void ExactNeighbours::flush() {
    std::array<std::array<float, lanes>, 4> dots{};
    for (std::size_t first = 0; first < queries_.size(); first += 4) {
        const auto query = [&](std::size_t i) { return queries_[std::min(first + i, queries_.size() - 1)].data(); };
        const std::array<const float*, 4> four{query(0), query(1), query(2), query(3)};
        dot_four(four.data(), block_.data(), dimension_,
                 {dots[0].data(), dots[1].data(), dots[2].data(), dots[3].data()});
        for (std::size_t q = first; q < std::min(first + 4, queries_.size()); ++q) {
            for (std::size_t lane = 0; lane < filled_; ++lane) {
                const float dot = dots[q - first][lane];
                const float norms = query_norms_[q] * block_norms_[lane];
                if (space_ == catalog::Space::ip)
                    keep(q, -dot);
                else if (space_ == catalog::Space::l2)
                    keep(q, query_norms_[q] + block_norms_[lane] - 2 * dot);
                else if (norms > 0)
                    keep(q, 1 - dot / std::sqrt(norms));
            }
        }
    }
    filled_ = 0;
}

void ExactNeighbours::keep(std::size_t query, float distance) {
    // Sums of huge values overflow: such a neighbour is as far as can be, for pgvector too.
    if (!std::isfinite(distance)) distance = std::numeric_limits<float>::infinity();
    std::vector<float>& heap = nearest_[query];
    if (heap.size() == recall_k) {
        if (distance >= heap.front()) return;
        std::pop_heap(heap.begin(), heap.end());
        heap.pop_back();
    }
    heap.push_back(distance);
    std::push_heap(heap.begin(), heap.end());
}

std::vector<double> ExactNeighbours::kth_distances() {
    flush();
    std::vector<double> out;
    for (std::size_t q = 0; q < queries_.size(); ++q) {
        if (nearest_[q].size() < recall_k) {
            out.push_back(std::numeric_limits<double>::infinity());
            continue;
        }
        // Rounding of the float sums must not turn a true neighbour into a miss.
        const double slack =
            1e-5 * (space_ == catalog::Space::cosine ? 1.0 : static_cast<double>(query_norms_[q]) + 1e-6);
        const double kth = static_cast<double>(nearest_[q].front()) + slack;
        out.push_back(space_ == catalog::Space::l2 ? std::sqrt(std::max(0.0, kth)) : kth);
    }
    return out;
}

RecallProbe::RecallProbe(pg::Connection& db, const TableName& table, const RowShape& shape)
    : table_(table), shape_(shape), queries_(sample(db, table, shape)) {
    if (is_usable()) exact_.emplace_back(shape.space, queries_);
}

void RecallProbe::add_row(std::string_view image) {
    if (!is_usable()) return;
    const auto start = Clock::now();
    const std::string_view field = pg::fields_of(image).back();
    if (field.data() == nullptr) return;
    scratch_.clear();
    if (shape_.type == pg::VectorType::vector)
        pg::decode_vector(field, scratch_);
    else
        pg::decode_halfvec(field, scratch_);
    if (scratch_.size() == shape_.dimension) exact_.front().add(scratch_);
    exact_seconds_ += seconds_since(start);
}

RecallOutcome RecallProbe::measure(pg::Connection& db, const store::Pgvector& pgvector) {
    const auto start = Clock::now();
    const std::vector<double> kth = exact_.front().kth_distances();
    pg::Transaction tx{db, "BEGIN; SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = on"};
    const std::string sql =
        fmt::format("SELECT embedding {0} $1::{1} FROM {2} ORDER BY embedding {0} $1::{1} LIMIT {3}",
                    pgvector.distance_operator(shape_.space), pgvector.type(shape_.type), table_.quoted(db), recall_k);
    std::size_t found = 0;
    std::size_t wanted = 0;
    for (std::size_t q = 0; q < queries_.size(); ++q) {
        const pg::Result rows = db.query(sql, {vector_literal(queries_[q])});
        for (int row = 0; row < rows.rows(); ++row) {
            if (!rows.is_null(row, 0) && rows.real(row, 0) <= kth[q]) ++found;
        }
        wanted += std::isinf(kth[q]) ? static_cast<std::size_t>(rows.rows()) : recall_k;
    }
    RecallOutcome outcome{
        .queries = queries_.size(), .exact_seconds = exact_seconds_, .index_seconds = seconds_since(start)};
    outcome.recall = wanted == 0 ? 1.0 : static_cast<double>(found) / static_cast<double>(wanted);
    return outcome;
}

}  // namespace decant::migrate
