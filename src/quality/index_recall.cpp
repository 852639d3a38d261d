#include "quality/index_recall.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <random>

#include "core/elapsed.hpp"
#include "core/error.hpp"
#include "pg/binary_row.hpp"
#include "quality/detail/stored_vectors.hpp"
#include "quality/metrics.hpp"
#include "search/vector_search.hpp"
#include "store/pgvector.hpp"

namespace decant::quality {
namespace {

constexpr std::string_view count_sql = "SELECT count(*) FROM products p WHERE p.active AND p.embedding IS NOT NULL";
constexpr std::string_view prices_sql =
    "SELECT unnest(percentile_disc($1::float8[]) WITHIN GROUP (ORDER BY p.price)) FROM products p "
    "WHERE p.active AND p.embedding IS NOT NULL";
constexpr std::string_view passing_sql = "SELECT count(*) FROM products p WHERE {} AND p.embedding IS NOT NULL";
/// {0} the filter, {1} the distance, to which 0 is added so that no index gives the order, {2} the number of limit.
constexpr std::string_view exact_sql =
    "SELECT {1} AS distance FROM products p WHERE {0} AND p.embedding IS NOT NULL ORDER BY {1} + 0 LIMIT ${2}::bigint";

struct PriceRange {
    double low;
    double high;
};

/// Ranges of `wanted` products each, one a query, that begin anywhere.
std::vector<PriceRange> draw_ranges(pg::Connection& db, std::size_t products, std::size_t wanted,
                                    const RecallOptions& options) {
    std::mt19937_64 random{options.seed};
    std::vector<std::string> shares;
    // Half a row further, so that no rounding gives the row before.
    const auto share = [&](std::size_t row) {
        return fmt::format("{}", (static_cast<double>(row) + 0.5) / static_cast<double>(products));
    };
    for (std::size_t i = 0; i < options.queries; ++i) {
        const std::size_t first = random() % (products - wanted + 1);
        shares.push_back(share(first));
        shares.push_back(share(first + wanted - 1));
    }
    const pg::Result prices = db.query(prices_sql, {pg::array_literal(shares)});
    std::vector<PriceRange> ranges;
    for (int row = 0; row + 1 < prices.rows(); row += 2)
        ranges.push_back({.low = prices.real(row, 0), .high = prices.real(row + 1, 0)});
    return ranges;
}

Latency latency_of(const std::vector<double>& milliseconds) {
    return {.p50 = percentile(milliseconds, 0.5), .p95 = percentile(milliseconds, 0.95)};
}

class Probe {
public:
    Probe(pg::Connection& db, const RecallOptions& options,
          const std::function<bool(std::size_t, std::size_t)>& progressed)
        : db_(db), options_(options), progressed_(progressed), searcher_(db) {
        const pg::Result count = db.exec(count_sql);
        outcome_.products = static_cast<std::size_t>(count.integer(0, 0));
        queries_ = draw_stored_vectors(db, options.queries, options.seed);
        outcome_.queries = queries_.size();
        if (queries_.empty()) {
            throw Error{ErrorCode::not_found, "No active product has an embedding: there is nothing to search for",
                        "Make embeddings with `decant migrate` or `decant embed`."};
        }
        const store::Pgvector pgvector = *store::find_pgvector(db);
        operator_ = pgvector.distance_operator(catalog::Space::cosine);
        type_ = pgvector.type(pg::VectorType::vector);
    }

    IndexRecall run() {
        for (const double selectivity : options_.selectivities)
            outcome_.filtered.push_back(measure(selectivity));
        return std::move(outcome_);
    }

private:
    /// Sums over the queries of one selectivity.
    struct Sums {
        std::vector<double> search_times = {};
        std::vector<double> exact_times = {};
        std::size_t true_nearest = 0;
        std::size_t passing = 0;
    };

    FilteredRecall measure(double selectivity) {
        FilteredRecall measured{.selectivity = selectivity};
        const std::vector<search::Filter> filters = filters_of(selectivity);
        // Neither side is timed with what the other, or the selectivity before, left cold.
        exact(queries_[0], bind(db_, filters[0]));
        search(queries_[0], filters[0]);
        Sums sums;
        for (std::size_t i = 0; i < queries_.size(); ++i) {
            measure_one(queries_[i], filters[i], measured, sums);
            step();
        }
        const auto share = [](std::size_t part, std::size_t all) {
            return all == 0 ? 1 : static_cast<double>(part) / static_cast<double>(all);
        };
        measured.passing = share(sums.passing, queries_.size() * outcome_.products);
        measured.recall = share(sums.true_nearest, measured.rows_wanted);
        measured.search = latency_of(sums.search_times);
        measured.exact = latency_of(sums.exact_times);
        return measured;
    }

    std::vector<search::Filter> filters_of(double selectivity) {
        std::vector<search::Filter> filters(queries_.size());
        if (selectivity >= 1) return filters;
        const auto wanted = std::lround(selectivity * static_cast<double>(outcome_.products));
        const auto ranges =
            draw_ranges(db_, outcome_.products, static_cast<std::size_t>(std::max(wanted, 1L)), options_);
        for (std::size_t i = 0; i < filters.size(); ++i) {
            filters[i].min_price = ranges[i].low;
            filters[i].max_price = ranges[i].high;
        }
        return filters;
    }

    void measure_one(const std::vector<float>& query, const search::Filter& filter, FilteredRecall& measured,
                     Sums& sums) {
        const search::BoundFilter bound = bind(db_, filter);
        const auto passing =
            static_cast<std::size_t>(db_.query(fmt::format(passing_sql, bound.condition), bound.params).integer(0, 0));
        const auto exact_start = std::chrono::steady_clock::now();
        const std::vector<double> nearest = exact(query, bound);
        sums.exact_times.push_back(milliseconds_since(exact_start));
        const auto search_start = std::chrono::steady_clock::now();
        const search::VectorAnswer answer = search(query, filter);
        sums.search_times.push_back(milliseconds_since(search_start));
        sums.passing += passing;
        sums.true_nearest += count_near(answer.hits, nearest);
        measured.rows_wanted += std::min(passing, options_.k);
        measured.rows += answer.hits.size();
        measured.by_index += answer.scan == search::Scan::index ? 1 : 0;
    }

    void step() {
        const std::size_t total = options_.selectivities.size() * queries_.size();
        if (progressed_(++done_, total)) return;
        throw Error{ErrorCode::cancelled, "The measurement was interrupted", "Run it again: nothing was changed."};
    }

    search::VectorAnswer search(const std::vector<float>& query, const search::Filter& filter) {
        return searcher_.find({.vector = query, .filter = filter, .limit = options_.k});
    }

    /// Distances of the true nearest, the least first.
    std::vector<double> exact(const std::vector<float>& query, const search::BoundFilter& filter) {
        std::vector<pg::Param> params = filter.params;
        params.emplace_back(std::to_string(options_.k));
        const std::string distance = fmt::format("(p.embedding {} ${}::{})", operator_, params.size() + 1, type_);
        const std::string vector = pg::binary_vector(query);
        const std::vector<pg::Statement> statements{
            {.sql = fmt::format(exact_sql, filter.condition, distance, params.size()),
             .params = params,
             .binary = &vector}};
        const std::vector<pg::Result> results = db_.run_batch(statements);
        std::vector<double> distances;
        for (int row = 0; row < results[0].rows(); ++row)
            distances.push_back(results[0].real(row, 0));
        return distances;
    }

    /// By distance, because of products with equal vectors one is as good as the other.
    static std::size_t count_near(const std::vector<search::Hit>& hits, const std::vector<double>& nearest) {
        if (nearest.empty()) return 0;
        return static_cast<std::size_t>(std::ranges::count_if(
            hits, [&](const search::Hit& hit) { return 1 - hit.similarity.value_or(-1) <= nearest.back() + 1e-9; }));
    }

    pg::Connection& db_;
    const RecallOptions& options_;
    const std::function<bool(std::size_t, std::size_t)>& progressed_;
    search::VectorSearcher searcher_;
    std::vector<std::vector<float>> queries_;
    std::string operator_;
    std::string type_;
    IndexRecall outcome_;
    std::size_t done_ = 0;
};

}  // namespace

IndexRecall measure_index_recall(pg::Connection& db, const RecallOptions& options,
                                 const std::function<bool(std::size_t, std::size_t)>& progressed) {
    return Probe{db, options, progressed}.run();
}

}  // namespace decant::quality
