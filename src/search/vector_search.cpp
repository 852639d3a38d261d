#include "search/vector_search.hpp"

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <optional>

#include "core/error.hpp"
#include "core/json.hpp"
#include "pg/binary_row.hpp"

namespace decant::search {
namespace {

// What the planner's statistics say costs no scan.
constexpr std::string_view estimate_sql = "EXPLAIN (FORMAT JSON) SELECT FROM products p WHERE {}";
constexpr std::string_view table_sql =
    "SELECT greatest(reltuples, 0)::bigint FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass('products')";

/// {0} the filter, {1} the distance, {2} what is ordered by, {3} and {4} numbers of the parameters limit and offset,
/// {5} that of the threshold, {6} how many rows more are looked at: under a filter the index gives rows out of order,
/// which is put right outside. {7} and {8} are hit_columns and hit_joins. The addition makes PostgreSQL (from 17 on)
/// sort, which else trusts the index's order.
constexpr std::string_view nearest_sql = R"sql(
WITH nearest AS MATERIALIZED (
    SELECT p.id, {1} AS distance FROM products p WHERE {0} AND p.embedding IS NOT NULL
    ORDER BY {2} LIMIT ${3}::bigint + ${4}::bigint + {6})
SELECT {7}, 1 - n.distance, found.rows
FROM (SELECT count(*) AS rows FROM nearest) found
LEFT JOIN (SELECT * FROM nearest WHERE 1 - distance >= ${5}::float8 ORDER BY distance + 0, id LIMIT ${3} OFFSET ${4}) n
    ON true
LEFT JOIN products p ON p.id = n.id
{8}
ORDER BY n.distance, n.id)sql";

store::Pgvector require_pgvector(pg::Connection& db) {
    auto pgvector = store::find_pgvector(db);
    if (!pgvector) throw Error{ErrorCode::not_found, "pgvector extension not installed", "Run `decant schema up`."};
    return *pgvector;
}

/// One query under way.
class Search {
public:
    Search(pg::Connection& db, const store::Pgvector& pgvector, const VectorQuery& query)
        : db_(db), query_(query), filter_(bind(db, query.filter)), params_(filter_.params) {
        for (const auto& value :
             {std::to_string(query.limit), std::to_string(query.offset), fmt::format("{}", query.threshold)}) {
            params_.emplace_back(value);
        }
        distance_ = fmt::format("(p.embedding {} ${}::{})", pgvector.distance_operator(catalog::Space::cosine),
                                params_.size() + 1, pgvector.type(pg::VectorType::vector));
        vector_ = pg::binary_vector(query.vector);
    }

    VectorAnswer run() {
        VectorAnswer answer;
        const std::uint64_t wanted = query_.limit + query_.offset;
        std::optional<Passing> filter;
        if (filter_.is_narrow || query_.explains) filter = estimate();
        if (filter) {
            answer.rows = filter->rows;
            answer.passing = filter->passing;
        }
        if (!filter_.is_narrow) filter.reset();
        for (const ScanStep& step : scan_steps(wanted, query_.recall, filter))
            if (search(step, answer) >= wanted) break;
        return answer;
    }

private:
    Passing estimate() {
        const std::vector<pg::Statement> statements{
            {.sql = fmt::format(estimate_sql, filter_.condition), .params = filter_.params},
            {.sql = std::string{table_sql}}};
        const std::vector<pg::Result> results = db_.run_batch(statements);
        const json::value tree = json::parse(results[0].text(0, 0));
        const json::value& plan = tree.as_array().at(0).at("Plan");
        return {.rows = static_cast<std::uint64_t>(results[1].integer(0, 0)),
                .passing = plan.at("Plan Rows").to_number<std::uint64_t>(),
                .reading_cost = plan.at("Total Cost").to_number<double>()};
    }

    pg::Statement statement(const ScanStep& step, std::string_view before = "") const {
        const std::size_t first = filter_.params.size() + 1;
        // With an addition no index gives the order.
        const std::string order = step.scan == Scan::index ? distance_ : distance_ + " + 0";
        return {.sql = fmt::format("{}{}", before,
                                   fmt::format(nearest_sql, filter_.condition, distance_, order, first, first + 1,
                                               first + 2, step.more, hit_columns, hit_joins)),
                .params = params_,
                .binary = &vector_};
    }

    /// The number of rows that were near enough to be looked at, under the threshold too.
    std::uint64_t search(const ScanStep& step, VectorAnswer& answer) {
        answer.scan = step.scan;
        answer.ef_search = step.ef_search;
        std::vector<pg::Statement> statements;
        if (query_.facets && !answer.facets) statements.push_back(facets_statement(filter_));
        statements.push_back(scan_settings(step));
        if (query_.explains) statements.push_back(statement(step, "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) "));
        statements.push_back(statement(step));
        const std::vector<pg::Result> results = db_.run_batch(statements);
        if (query_.facets && !answer.facets) answer.facets = read_facets(results.front());
        if (query_.explains) answer.plan = plan_text(results[results.size() - 2]);
        const pg::Result& rows = results.back();
        answer.hits.clear();
        for (int row = 0; row < rows.rows() && !rows.is_null(row, 0); ++row) {
            Hit& hit = answer.hits.emplace_back(read_hit(rows, row));
            hit.similarity = hit.score = rows.real(row, hit_column_count);
        }
        return static_cast<std::uint64_t>(rows.integer(0, hit_column_count + 1));
    }

    pg::Connection& db_;
    const VectorQuery& query_;
    BoundFilter filter_;
    std::vector<pg::Param> params_;
    std::string distance_;
    std::string vector_;
};

}  // namespace

VectorSearcher::VectorSearcher(pg::Connection& db)
    : db_(db), state_(store::read_catalog_state(db)), pgvector_(require_pgvector(db)) {}

VectorAnswer VectorSearcher::find(const VectorQuery& query) {
    const auto dimension = static_cast<std::uint32_t>(query.vector.size());
    if (auto problem = store::embedding_problem(db_, state_, dimension)) throw std::move(*problem);
    if (auto problem = store::dimension_problem(state_, dimension, "the model gives")) throw std::move(*problem);
    return Search{db_, pgvector_, query}.run();
}

}  // namespace decant::search
