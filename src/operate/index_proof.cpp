#include "operate/index_proof.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include "core/error.hpp"
#include "migrate/recall.hpp"
#include "pg/binary_row.hpp"
#include "pg/copy.hpp"
#include "search/scan_choice.hpp"

namespace decant::operate {
namespace {

constexpr std::size_t most_queries = 100;
/// What searches ask of the index unless they are told otherwise.
constexpr double wanted_recall = 0.98;
/// A hundred neighbours: with fewer one that is missing by chance would count for too much.
constexpr std::size_t least_asked = 10;

// A cosine index does not hold vectors of length 0. {0} is the schema of pgvector, {1} a number, {2} the column.
constexpr std::string_view drawn_sql =
    "COPY (SELECT {2} FROM products WHERE {2} IS NOT NULL AND {0}.vector_norm({2}) > 0 "
    "ORDER BY pg_catalog.md5(id::text) LIMIT {1}) TO STDOUT (FORMAT binary)";
constexpr std::string_view all_sql = "COPY (SELECT {0} FROM products WHERE {0} IS NOT NULL) TO STDOUT (FORMAT binary)";

/// {0} the distance, {1} the one that the index orders by, {2} how many, {3} the column.
constexpr std::string_view nearest_sql = "SELECT {0} FROM products p WHERE {3} IS NOT NULL ORDER BY {1} LIMIT {2}";

Error too_slow(std::size_t asked, std::chrono::seconds longest) {
    return {ErrorCode::overloaded,
            fmt::format("The new index answered {} searches in {} s, too few to keep others waiting for it", asked,
                        longest.count()),
            "Run the same command again when the server has less to do: the index is built."};
}

}  // namespace

IndexProof::IndexProof(pg::Connection& db, store::Pgvector pgvector, const std::function<bool()>& may_go_on,
                       std::string column)
    : pgvector_(std::move(pgvector)), column_(std::move(column)) {
    {
        pg::CopyOut drawn{db, fmt::format(drawn_sql, pgvector_.schema, most_queries, column_)};
        while (const auto tuple = drawn.next())
            pg::decode_vector(pg::fields_of(*tuple).front(), queries_.emplace_back());
    }
    if (queries_.empty()) return;
    migrate::ExactNeighbours exact{catalog::Space::cosine, queries_};
    pg::Transaction tx{db, "BEGIN READ ONLY; SET LOCAL statement_timeout = 0"};
    pg::CopyOut all{db, fmt::format(all_sql, column_)};
    std::vector<float> vector;
    for (std::size_t rows = 1; const auto tuple = all.next(); ++rows) {
        vector.clear();
        pg::decode_vector(pg::fields_of(*tuple).front(), vector);
        exact.add(vector);
        if (rows % 1'000 == 0 && !may_go_on())
            throw Error{ErrorCode::cancelled, "Interrupted while the new index was compared with the exact scan",
                        "Run the same command again: it goes on with the index that is built."};
    }
    tx.commit();
    kth_distances_ = exact.kth_distances();
}

IndexProof::Outcome IndexProof::ask(pg::Connection& db, const store::SearchedIndex& index, std::string_view name,
                                    const Patience& patience) const {
    if (queries_.empty()) return {.recall = 1, .is_used = true};
    const search::ScanStep step = search::scan_steps(migrate::recall_k, wanted_recall, std::nullopt).front();
    const std::uint64_t probes =
        index.kind == store::IndexKind::ivfflat ? search::ivfflat_probes_for(index.lists, wanted_recall) : 0;
    const pg::Statement settings = search::scan_settings(step, probes);
    db.query(settings.sql, settings.params);
    const std::string column = "p." + column_;
    const store::ComparedVectors compared{.column = column, .parameter = 1, .dimension = queries_.front().size()};
    const std::string sql = fmt::format(nearest_sql, cosine_distance(pgvector_, pg::VectorType::vector, compared),
                                        cosine_distance(pgvector_, index.type, compared), migrate::recall_k, column);
    Outcome outcome;
    const pg::Result plan = db.query("EXPLAIN (COSTS OFF) " + sql, {}, pg::binary_vector(queries_.front()));
    for (int row = 0; row < plan.rows(); ++row)
        outcome.is_used = outcome.is_used || plan.text(row, 0).find(name) != std::string_view::npos;
    std::size_t found = 0;
    std::size_t wanted = 0;
    const auto start = patience.now();
    for (; outcome.asked < queries_.size() && patience.now() - start < patience.longest; ++outcome.asked) {
        const double kth_distance = kth_distances_[outcome.asked];
        const pg::Result rows = db.query(sql, {}, pg::binary_vector(queries_[outcome.asked]));
        for (int row = 0; row < rows.rows(); ++row)
            if (!rows.is_null(row, 0) && rows.real(row, 0) <= kth_distance) ++found;
        wanted += std::isinf(kth_distance) ? static_cast<std::size_t>(rows.rows()) : migrate::recall_k;
    }
    if (outcome.asked < std::min(least_asked, queries_.size())) throw too_slow(outcome.asked, patience.longest);
    if (wanted > 0) outcome.recall = static_cast<double>(found) / static_cast<double>(wanted);
    return outcome;
}

}  // namespace decant::operate
