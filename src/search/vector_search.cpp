#include "search/vector_search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <optional>

#include "core/error.hpp"
#include "core/json.hpp"
#include "pg/binary_row.hpp"
#include "pg/sql_state.hpp"
#include "search/detail/nearest.hpp"

namespace decant::search {
namespace {

// What the planner's statistics say costs no scan.
constexpr std::string_view estimate_sql = "EXPLAIN (FORMAT JSON) SELECT FROM products p WHERE {}";
constexpr std::string_view table_sql =
    "SELECT greatest(reltuples, 0)::bigint FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass('products')";

/// {0} the filter, {1} the distance, {2} what is ordered by, {3} and {4} numbers of the parameters limit and offset,
/// {5} that of the threshold, {6} how many rows more are looked at: under a filter the index gives rows out of order,
/// which is put right outside. {7} and {8} are hit_columns and hit_joins, {9} is the column. The addition makes
/// PostgreSQL (from 17 on) sort, which else trusts the index's order.
constexpr std::string_view nearest_sql = R"sql(
WITH nearest AS MATERIALIZED (
    SELECT p.id, {1} AS distance FROM products p WHERE {0} AND p.{9} IS NOT NULL
    ORDER BY {2} LIMIT ${3}::bigint + ${4}::bigint + {6})
SELECT {7}, 1 - n.distance, found.rows
FROM (SELECT count(*) AS rows FROM nearest) found
LEFT JOIN (SELECT * FROM nearest WHERE 1 - distance >= ${5}::float8 ORDER BY distance + 0, id LIMIT ${3} OFFSET ${4}) n
    ON true
LEFT JOIN products p ON p.id = n.id
{8}
ORDER BY n.distance, n.id)sql";

/// A rebuild may put another kind of index in the place of the one that was there.
constexpr std::chrono::seconds index_is_known_for{1};

struct Searched {
    const store::Pgvector& pgvector;
    const store::SearchedIndex& index;
    std::string_view column;
    const std::optional<store::ColumnModel>& model;
};

/// One query under way.
class Search {
public:
    Search(pg::Connection& db, const Searched& searched, const VectorQuery& query)
        : db_(db), searched_(searched), query_(query), filter_(bind(db, query.filter)), params_(filter_.params) {
        for (const auto& value :
             {std::to_string(query.limit), std::to_string(query.offset), fmt::format("{}", query.threshold)}) {
            params_.emplace_back(value);
        }
        const std::string column = fmt::format("p.{}", searched.column);
        const store::ComparedVectors compared{
            .column = column, .parameter = params_.size() + 1, .dimension = query.vector.size()};
        distance_ = cosine_distance(searched.pgvector, pg::VectorType::vector, compared);
        index_order_ = cosine_distance(searched.pgvector, searched.index.type, compared);
        if (searched.index.kind == store::IndexKind::ivfflat) lists_ = searched.index.lists;
        vector_ = pg::binary_vector(query.vector);
    }

    /// None: the column's model is another one than the searcher knows.
    std::optional<VectorAnswer> run() {
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
            if (search(step, answer) >= wanted || is_of_other_model_) break;
        if (is_of_other_model_) return std::nullopt;
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
        const std::string order = step.scan == Scan::index ? index_order_ : distance_ + " + 0";
        return {.sql = fmt::format("{}{}", before,
                                   fmt::format(nearest_sql, filter_.condition, distance_, order, first, first + 1,
                                               first + 2, step.more, hit_columns, hit_joins, searched_.column)),
                .params = params_,
                .binary = &vector_};
    }

    /// Under a filter as many times more as an HNSW index would be looked into.
    std::uint64_t probes_of(const ScanStep& step) const {
        const std::uint64_t wanted = ef_search_for(query_.limit + query_.offset, query_.recall);
        const std::uint64_t probes = ivfflat_probes_for(lists_, query_.recall) * step.ef_search / wanted;
        return std::min(lists_, std::max<std::uint64_t>(probes, 1));
    }

    /// The number of rows that were near enough to be looked at, under the threshold too.
    std::uint64_t search(const ScanStep& step, VectorAnswer& answer) {
        answer.scan = step.scan;
        answer.ef_search = step.ef_search;
        std::vector<pg::Statement> statements;
        if (query_.facets && !answer.facets) statements.push_back(facets_statement(filter_));
        statements.push_back(scan_settings(step, probes_of(step)));
        if (query_.explains) statements.push_back(statement(step, "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) "));
        statements.push_back(statement(step));
        statements.push_back(store::column_model_statement(searched_.column));
        std::vector<pg::Result> results = db_.run_batch(statements);
        is_of_other_model_ = store::column_model_of(results.back()) != searched_.model;
        if (is_of_other_model_) return 0;
        results.pop_back();
        if (query_.facets && !answer.facets) answer.facets = read_facets(results.front());
        if (query_.explains) answer.plan = plan_text(results[results.size() - 2]);
        answer.hits = read_nearest(results.back());
        return static_cast<std::uint64_t>(results.back().integer(0, hit_column_count + 1));
    }

    pg::Connection& db_;
    const Searched searched_;
    const VectorQuery& query_;
    BoundFilter filter_;
    std::vector<pg::Param> params_;
    std::string distance_;
    std::string index_order_;  ///< a distance too; of an index of half precision, by that
    std::uint64_t lists_ = 0;  ///< of an IVFFlat index; 0: it is none
    std::string vector_;
    bool is_of_other_model_ = false;
};

}  // namespace

VectorSearcher::VectorSearcher(pg::Connection& db, const store::VectorColumns& columns)
    : db_(db),
      columns_(columns),
      model_(store::read_column_model(db, columns.embedding)),
      state_(store::read_catalog_state(db, columns.embedding)),
      pgvector_(require_pgvector(db)),
      index_(store::find_searched_index(db, columns.embedding)),
      index_read_(std::chrono::steady_clock::now()) {}

bool VectorSearcher::has_other_model() {
    auto now = store::read_column_model(db_, columns_.embedding);
    if (now == model_) return false;
    model_ = std::move(now);
    state_ = store::read_catalog_state(db_, columns_.embedding);
    index_read_ = {};
    return true;
}

VectorAnswer VectorSearcher::find(const VectorQuery& query) {
    if (auto answer = find_unless_changed(query)) return std::move(*answer);
    throw Error{ErrorCode::source_changed, "The catalog's model was changed while its vectors were searched",
                "Ask again."};
}

std::optional<VectorAnswer> VectorSearcher::find_unless_changed(const VectorQuery& query) {
    const auto dimension = static_cast<std::uint32_t>(query.vector.size());
    if (auto problem = store::embedding_problem(db_, state_, dimension)) throw std::move(*problem);
    if (auto problem = store::dimension_problem(state_, dimension, "the model gives")) {
        if (has_other_model()) return std::nullopt;
        throw std::move(*problem);
    }
    if (const auto now = std::chrono::steady_clock::now(); now - index_read_ > index_is_known_for) {
        index_ = store::find_searched_index(db_, columns_.embedding);
        index_read_ = now;
    }
    try {
        auto answer = Search{db_, {pgvector_, index_, columns_.embedding, model_}, query}.run();
        if (!answer) has_other_model();
        return answer;
    } catch (const Error& error) {
        // Vectors of two dimensions cannot even be compared.
        if (pg::is_statement_error(error) && has_other_model()) return std::nullopt;
        throw;
    }
}

}  // namespace decant::search
