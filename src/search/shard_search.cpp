#include "search/shard_search.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/utf8.hpp"
#include "pg/binary_row.hpp"
#include "pg/sql_state.hpp"
#include "search/detail/nearest.hpp"

namespace decant::search {
namespace {

using namespace std::chrono_literals;

/// A shard that is down is not waited for by every search.
constexpr auto between_tries = 5s;

/// The rows that each shard gives besides the wanted ones: under a filter its index gives them out of order.
constexpr std::uint64_t more_rows = 20;

/// {0} the table, {1} the distance, {2} the filter, {3} what is ordered by, {4} numbers of the parameters limit and
/// offset, {5} how many rows more. Each is sent to its shard whole, order and limit too; the limit of a partitioned
/// parent would not be.
constexpr std::string_view part_sql =
    "(SELECT p.id, {1} AS distance FROM {0} p WHERE {2} ORDER BY {3} LIMIT {4} + {5})";

/// {0} the parts, {1} the filter, {2} limit and {3} offset, {4} the threshold, {5} hit_columns, {6} hit_joins. The
/// addition makes PostgreSQL sort, which else trusts the shards' order.
constexpr std::string_view merged_sql = R"sql(
WITH nearest AS MATERIALIZED ({0})
SELECT {5}, 1 - n.distance, found.rows
FROM (SELECT count(*) AS rows FROM nearest) found
LEFT JOIN (SELECT f.id, f.distance FROM nearest f JOIN products p ON p.id = f.id
           WHERE {1} AND 1 - f.distance >= {4}::float8 ORDER BY f.distance + 0, f.id LIMIT {2} OFFSET {3}) n ON true
LEFT JOIN products p ON p.id = n.id
{6}
ORDER BY n.distance, n.id)sql";

// The limit and the vector are constants of what is sent to the shards.
constexpr std::string_view settings_sql =
    "SELECT set_config('plan_cache_mode', 'force_custom_plan', true), set_config('jit', 'off', true)";

constexpr std::string_view probe_sql = "SET LOCAL statement_timeout = '3s'; SELECT FROM {} LIMIT 1";

store::ShardedCatalog require_copy(pg::Connection& db) {
    auto catalog = store::read_sharded_catalog(db);
    if (catalog && !catalog->shards.empty()) return std::move(*catalog);
    throw Error{ErrorCode::not_found,
                fmt::format("There is no sharded copy of the catalog in database '{}'", db.database()),
                "Make it with `decant schema shard --servers URL,URL`, or set SHARD_SEARCH=false."};
}

/// One question to some of the shards.
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

    VectorAnswer run(const std::vector<std::string>& tables) {
        VectorAnswer answer;
        for (const Scan scan : {Scan::index, Scan::exact})
            if (search(tables, scan, answer) >= query_.limit + query_.offset) break;
        return answer;
    }

private:
    pg::Statement statement(const std::vector<std::string>& tables, Scan scan, std::string_view before = "") const {
        const std::size_t first = filter_.params.size() + 1;
        const std::string limit = fmt::format("${}::bigint", first);
        const std::string offset = fmt::format("${}::bigint", first + 1);
        const std::string order = scan == Scan::index ? distance_ : distance_ + " + 0";
        std::string parts;
        for (const std::string& table : tables) {
            parts += parts.empty() ? "" : "\nUNION ALL\n";
            parts +=
                fmt::format(part_sql, table, distance_, filter_.condition, order, limit + " + " + offset, more_rows);
        }
        return {.sql = fmt::format("{}{}", before,
                                   fmt::format(merged_sql, parts, filter_.condition, limit, offset,
                                               fmt::format("${}", first + 2), hit_columns, hit_joins)),
                .params = params_,
                .binary = &vector_};
    }

    /// The number of rows that all shards gave.
    std::uint64_t search(const std::vector<std::string>& tables, Scan scan, VectorAnswer& answer) {
        answer.scan = scan;
        std::vector<pg::Statement> statements{{.sql = std::string{settings_sql}}};
        if (query_.explains)
            statements.push_back(statement(tables, scan, "EXPLAIN (ANALYZE, VERBOSE, COSTS OFF, TIMING OFF) "));
        statements.push_back(statement(tables, scan));
        const std::vector<pg::Result> results = db_.run_batch(statements);
        if (query_.explains) answer.plan = plan_text(results[results.size() - 2]);
        answer.hits = read_nearest(results.back());
        return static_cast<std::uint64_t>(results.back().integer(0, hit_column_count + 1));
    }

    pg::Connection& db_;
    const VectorQuery& query_;
    BoundFilter filter_;
    std::vector<pg::Param> params_;
    std::string distance_;
    std::string vector_;
};

}  // namespace

ShardSearcher::ShardSearcher(pg::Connection& db, ShardFailure on_failure)
    : db_(db), on_failure_(on_failure), pgvector_(require_pgvector(db)), catalog_(require_copy(db)) {}

VectorAnswer ShardSearcher::find(const VectorQuery& query) {
    if (query.vector.size() != catalog_.dimension) {
        throw Error{ErrorCode::dimension_mismatch,
                    fmt::format("Embedding dimension mismatch: the model gives {}-d vectors, the sharded copy has {}-d "
                                "ones",
                                query.vector.size(), catalog_.dimension),
                    "Make the copy anew: decant schema shard."};
    }
    if (Clock::now() - looked_ > between_tries) down_.clear();
    Search search{db_, pgvector_, query};
    for (bool is_first = true;; is_first = false) {
        const std::vector<std::string> tables = live_tables();
        try {
            VectorAnswer answer = search.run(tables);
            answer.passing = answer.rows = catalog_.rows;
            answer.missing = missing();
            return answer;
        } catch (const Error& error) {
            if (!is_first || !pg::is_statement_error(error) || !look_into(error)) throw;
        }
    }
}

std::vector<std::string> ShardSearcher::live_tables() {
    std::vector<std::string> tables;
    for (std::size_t place = 0; place < catalog_.shards.size(); ++place)
        if (!down_.contains(place)) tables.push_back(catalog_.shards[place].table);
    if (!tables.empty() && (down_.empty() || on_failure_ == ShardFailure::partial)) return tables;
    throw Error{ErrorCode::source_unavailable,
                fmt::format("The sharded copy of the catalog is not whole: {} {} not answer",
                            fmt::join(missing(), ", "), down_.size() == 1 ? "does" : "do"),
                "Start it again; SHARD_FAILURE=partial answers from the others meanwhile."};
}

std::vector<std::string> ShardSearcher::missing() const {
    std::vector<std::string> names;
    for (const std::size_t place : down_)
        names.push_back(fmt::format("shard {} of {}", place + 1, catalog_.shards.size()));
    return names;
}

/// The failure of a foreign table does not always say which one it is.
bool ShardSearcher::look_into(const Error& error) {
    store::ShardedCatalog now = require_copy(db_);
    const bool is_new = now.generation != catalog_.generation;
    catalog_ = std::move(now);
    if (is_new) {
        down_.clear();
        return true;
    }
    looked_ = Clock::now();
    bool has_new = false;
    for (std::size_t place = 0; place < catalog_.shards.size(); ++place) {
        if (down_.contains(place) || answers(catalog_.shards[place])) continue;
        down_.insert(place);
        has_new = true;
        log::warning("shard {} of {}, {}, does not answer: {}", place + 1, catalog_.shards.size(),
                     printable(catalog_.shards[place].address), printable(error.happened()));
    }
    // A connection that postgres_fdw kept, of a shard that was away and is back, is made anew at the second try.
    return has_new || error.code() == ErrorCode::store_unavailable;
}

bool ShardSearcher::answers(const store::CatalogShard& shard) {
    try {
        pg::Transaction tx{db_};
        tx.db().exec(fmt::format(probe_sql, shard.table));
        tx.commit();
        return true;
    } catch (const Error& error) {
        if (!pg::is_statement_error(error)) throw;
        return false;
    }
}

}  // namespace decant::search
