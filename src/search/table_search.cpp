#include "search/table_search.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "search/where_sql.hpp"
#include "store/pgvector.hpp"

namespace decant::search {
namespace {

constexpr std::string_view columns_sql = R"sql(
SELECT a.attname, t.typname, a.atttypmod, greatest(c.reltuples, 0)::bigint
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN (pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid)
    ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    AND (a.attname, t.typname) IN (('id', 'text'), ('document', 'text'), ('metadata', 'jsonb'),
                                   ('embedding', 'vector'), ('embedding', 'halfvec'))
WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm')
ORDER BY a.attname = 'embedding' DESC NULLS LAST)sql";

constexpr std::string_view spaces_sql = R"sql(
SELECT DISTINCT o.opcname FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid JOIN pg_catalog.pg_am am ON am.oid = ic.relam
JOIN pg_catalog.pg_opclass o ON o.oid = i.indclass[0]
JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
WHERE i.indrelid = pg_catalog.to_regclass($1) AND i.indisvalid AND i.indpred IS NULL
  AND am.amname = 'hnsw' AND a.attname = 'embedding')sql";

constexpr std::string_view stored_sql = "SELECT pg_catalog.unnest(embedding::real[]) FROM {} WHERE id = $1";

/// {0} the table, {1} the condition.
constexpr std::string_view count_sql = "SELECT count(*), count(*) FILTER (WHERE {1}) FROM {0} t";
constexpr std::string_view sample_sql =
    "SELECT count(*), count(*) FILTER (WHERE {1}) FROM {0} t TABLESAMPLE SYSTEM ({2})";

/// {0} the table, {1} the condition, {2} the distance, {3} what is ordered by, {4} and {5} numbers of the parameters
/// limit and offset, {6} how many rows more are looked at, {7} Chroma's distance. The addition makes PostgreSQL (from
/// 17 on) sort, which else trusts the index's order.
constexpr std::string_view nearest_sql = R"sql(
WITH nearest AS MATERIALIZED (
    SELECT t.id, {2} AS distance FROM {0} t WHERE {1} AND t.embedding IS NOT NULL
    ORDER BY {3} LIMIT ${4}::bigint + ${5}::bigint + {6})
SELECT found.rows, n.id, {7}, t.document, t.metadata
FROM (SELECT count(*) AS rows FROM nearest) found
LEFT JOIN (SELECT * FROM nearest ORDER BY distance + 0, id LIMIT ${4} OFFSET ${5}) n ON true
LEFT JOIN {0} t ON t.id = n.id
ORDER BY n.distance, n.id)sql";

// Of pgvector's own support functions: the operator's distance squared again is a little off.
constexpr std::string_view squared_sql = "{}.{}_l2_squared_distance(t.embedding, {})";
constexpr std::string_view number_or_1_sql = "coalesce(nullif({}, 'NaN'), 1)";
constexpr std::string_view explain_sql = "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) ";

// A filter's share is judged by so many rows: the statistics know nothing of what is in jsonb.
constexpr std::uint64_t sampled_rows = 2'000;
// Of a row whose metadata is looked at, in the planner's units.
constexpr double reading_cost = 0.2;

/// The vector of the question, of the column's type.
std::string vector_sql(const store::Pgvector& pgvector, pg::VectorType type, std::size_t parameter) {
    const std::string sent = fmt::format("${}::{}", parameter, pgvector.type(pg::VectorType::vector));
    return type == pg::VectorType::vector ? sent : sent + "::" + pgvector.type(type);
}

/// Chroma's distance of a row t that was found.
std::string chroma_distance(const store::Pgvector& pgvector, const CopiedTable& table, const std::string& vector) {
    switch (table.space) {
        case catalog::Space::l2:
            return fmt::format(squared_sql, pgvector.schema, pg::name_of(table.type), vector);
        case catalog::Space::ip:
            return "1 + n.distance";
        case catalog::Space::cosine:
            break;
    }
    return "n.distance";
}

bool is_zero(std::span<const float> vector) {
    return std::ranges::all_of(vector, [](float value) { return value == 0; });
}

/// One query under way.
class Search {
public:
    Search(pg::Connection& db, const CopiedTable& table, const TableQuery& query)
        : db_(db), table_(table), query_(query), condition_(condition_of(query.filters)), params_(condition_.params) {
        const auto pgvector = store::find_pgvector(db);
        if (!pgvector)
            throw Error{ErrorCode::not_found, "pgvector extension not installed", "CREATE EXTENSION vector;"};
        params_.emplace_back(std::to_string(query.limit));
        params_.emplace_back(std::to_string(query.offset));
        const std::string vector = vector_sql(*pgvector, table.type, params_.size() + 1);
        distance_ = fmt::format("(t.embedding {} {})", pgvector->distance_operator(table.space), vector);
        shown_distance_ = chroma_distance(*pgvector, table, vector);
        vector_ = pg::binary_vector(query.vector);
    }

    TableAnswer run() {
        TableAnswer answer{.passing = query_.filters.empty() ? table_.rows : count_passing()};
        for (const ScanStep& step : steps(answer.passing))
            if (search(step, answer) >= wanted()) break;
        return answer;
    }

private:
    std::uint64_t wanted() const { return query_.limit + query_.offset; }

    std::vector<ScanStep> steps(std::uint64_t passing) const {
        // An index by cosine does not hold vectors of length 0, nor finds anything near one.
        if (!table_.has_index || (table_.space == catalog::Space::cosine && is_zero(query_.vector)))
            return {{.scan = Scan::exact}};
        if (query_.filters.empty()) return scan_steps(wanted(), query_.recall, std::nullopt);
        return scan_steps(wanted(), query_.recall,
                          Passing{.rows = table_.rows,
                                  .passing = passing,
                                  .reading_cost = reading_cost * static_cast<double>(table_.rows)});
    }

    std::uint64_t count_passing() {
        const bool is_small = table_.rows <= sampled_rows;
        const double percent = 100.0 * sampled_rows / static_cast<double>(std::max<std::uint64_t>(table_.rows, 1));
        const pg::Result counts = db_.query(is_small ? fmt::format(count_sql, table_.quoted, condition_.sql)
                                                     : fmt::format(sample_sql, table_.quoted, condition_.sql, percent),
                                            condition_.params);
        const std::int64_t rows = counts.integer(0, 0);
        const std::int64_t passing = counts.integer(0, 1);
        if (is_small || rows == 0) return static_cast<std::uint64_t>(passing);
        return static_cast<std::uint64_t>(static_cast<double>(table_.rows) * static_cast<double>(passing) /
                                          static_cast<double>(rows));
    }

    std::string sql(const ScanStep& step) const {
        const std::size_t limit = condition_.params.size() + 1;
        // A vector of length 0 has no cosine; Chroma takes it for one at right angles.
        const bool may_be_nan = table_.space == catalog::Space::cosine && step.scan == Scan::exact;
        const std::string distance = may_be_nan ? fmt::format(number_or_1_sql, distance_) : distance_;
        // With an addition no index gives the order.
        const std::string order = step.scan == Scan::index ? distance : distance + " + 0";
        return fmt::format(nearest_sql, table_.quoted, condition_.sql, distance, order, limit, limit + 1, step.more,
                           shown_distance_);
    }

    /// The number of rows that were looked at.
    std::uint64_t search(const ScanStep& step, TableAnswer& answer) {
        answer.scan = step.scan;
        pg::Transaction tx{db_, "BEGIN READ ONLY"};
        const pg::Statement settings = scan_settings(step);
        db_.query(settings.sql, settings.params);
        const std::string sql_text = sql(step);
        if (query_.explains) answer.plan = plan_text(db_.query(std::string{explain_sql} + sql_text, params_, vector_));
        const pg::Result rows = db_.query(sql_text, params_, vector_);
        tx.commit();
        answer.rows.clear();
        for (int row = 0; row < rows.rows() && !rows.is_null(row, 1); ++row) {
            answer.rows.push_back({.id = std::string{rows.text(row, 1)},
                                   .distance = rows.real(row, 2),
                                   .document = rows.optional_text(row, 3),
                                   .metadata = rows.optional_text(row, 4)});
        }
        return static_cast<std::uint64_t>(rows.integer(0, 0));
    }

    pg::Connection& db_;
    const CopiedTable& table_;
    const TableQuery& query_;
    Condition condition_;
    std::vector<pg::Param> params_;
    std::string distance_;
    std::string shown_distance_;
    std::string vector_;
};

/// Spaces of the table's HNSW indexes on embedding.
std::vector<catalog::Space> index_spaces(pg::Connection& db, const CopiedTable& table) {
    const pg::Result classes = db.query(spaces_sql, {table.quoted});
    std::vector<catalog::Space> spaces;
    for (int row = 0; row < classes.rows(); ++row) {
        for (const auto space : {catalog::Space::l2, catalog::Space::cosine, catalog::Space::ip}) {
            if (classes.text(row, 0) == fmt::format("{}_{}_ops", pg::name_of(table.type), name_of(space)))
                spaces.push_back(space);
        }
    }
    return spaces;
}

}  // namespace

std::string CopiedTable::column_type() const {
    return fmt::format("{}({})", pg::name_of(type), dimension);
}

CopiedTable read_copied_table(pg::Connection& db, const std::string& schema, const std::string& table,
                              std::optional<catalog::Space> recorded) {
    CopiedTable out{.shown = schema + "." + table,
                    .quoted = db.quote_identifier(schema) + "." + db.quote_identifier(table)};
    const pg::Result columns = db.query(columns_sql, {schema, table});
    if (columns.empty()) {
        throw Error{ErrorCode::not_found,
                    fmt::format("There is no table {} in database '{}'", out.shown, db.database()),
                    "See what was copied with `decant runs list`; --schema names another schema."};
    }
    constexpr int expected_columns = 4;
    if (columns.rows() != expected_columns || columns.text(0, 0) != "embedding" || columns.integer(0, 2) <= 0) {
        throw Error{ErrorCode::store_rejected,
                    fmt::format("Table {} is none that `decant copy` makes: it wants id text, document text, metadata "
                                "jsonb and embedding vector(d) or halfvec(d)",
                                out.shown),
                    "Products are searched with `decant search`, other tables in SQL."};
    }
    out.type = columns.text(0, 1) == "halfvec" ? pg::VectorType::halfvec : pg::VectorType::vector;
    out.dimension = static_cast<std::uint32_t>(columns.integer(0, 2));
    out.rows = static_cast<std::uint64_t>(columns.integer(0, 3));
    const std::vector<catalog::Space> spaces = index_spaces(db, out);
    if (!recorded && spaces.size() != 1) {
        throw Error{
            ErrorCode::store_rejected,
            fmt::format("The distance of table {} is not known: no run record, and {}", out.shown,
                        spaces.empty() ? "no HNSW index" : "HNSW indexes of several distances"),
            fmt::format("Make its index: CREATE INDEX ON {} USING hnsw (embedding {}_cosine_ops), or vector_l2_ops, or "
                        "vector_ip_ops, as the collection had it.",
                        out.quoted, pg::name_of(out.type))};
    }
    out.space = recorded ? *recorded : spaces.front();
    out.has_index = std::ranges::find(spaces, out.space) != spaces.end();
    return out;
}

std::vector<float> stored_vector(pg::Connection& db, const CopiedTable& table, const std::string& id) {
    const pg::Result values = db.query(fmt::format(stored_sql, table.quoted), {id});
    if (values.empty()) {
        throw Error{ErrorCode::not_found, fmt::format("Table {} has no row with id '{}'", table.shown, id),
                    "Ids are compared letter for letter."};
    }
    std::vector<float> vector;
    for (int row = 0; row < values.rows(); ++row)
        vector.push_back(static_cast<float>(values.real(row, 0)));
    return vector;
}

TableAnswer find_nearest(pg::Connection& db, const CopiedTable& table, const TableQuery& query) {
    if (query.vector.size() != table.dimension) {
        throw Error{ErrorCode::dimension_mismatch,
                    fmt::format("Embedding dimension mismatch: the query has a {}-d vector, column {}.embedding is {}",
                                query.vector.size(), table.shown, table.column_type()),
                    fmt::format("Query with the model that made the vectors ({}-d): verify with echo "
                                "$OLLAMA_API_MODEL_EMBEDDING, or name it with --embedder and --model.",
                                table.dimension)};
    }
    return Search{db, table, query}.run();
}

}  // namespace decant::search
