#include "migrate/layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>

#include "migrate/copy_json.hpp"
#include "migrate/target_lock.hpp"
#include "migrate/text_fault.hpp"
#include "store/index_builder.hpp"

namespace decant::migrate {
namespace {

constexpr std::string_view staging_suffix = "__decant_staging";
constexpr std::uint64_t max_listed_ids = 100;

/// How a row of decant's own table (s) stands in the layout's table (t).
struct LayoutColumns {
    std::string_view id;
    std::string_view document;
    std::string_view metadata;
    std::string_view document_of_s;
    std::string_view metadata_of_s;
    std::string_view metadata_type;
};

// PGVectorStore takes no NULL for content. json keeps the text of jsonb as it is.
constexpr LayoutColumns langchain_columns{
    "langchain_id", "content", "langchain_metadata", "coalesce(s.document, '')", "s.metadata::json", "json"};
constexpr LayoutColumns legacy_columns{"id", "document", "cmetadata", "s.document", "s.metadata", "jsonb"};

constexpr std::string_view column_sql =
    "SELECT pg_catalog.format_type(a.atttypid, NULL), a.atttypmod FROM pg_catalog.pg_attribute a WHERE a.attrelid = "
    "pg_catalog.to_regclass($1) AND a.attname = $2 AND a.attnum > 0 AND NOT a.attisdropped";

constexpr std::string_view has_index_sql =
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid "
    "JOIN pg_catalog.pg_am m ON m.oid = c.relam WHERE i.indrelid = pg_catalog.to_regclass($1) AND i.indisvalid "
    "AND m.amname IN ('hnsw', 'ivfflat'))";

std::string sqlalchemy_url(const pg::Connection& db) {
    const bool is_socket = db.host().starts_with('/');
    const std::string place = is_socket ? fmt::format("/{}?host={}&port={}", db.database(), db.host(), db.port())
                                        : fmt::format("{}:{}/{}", db.host(), db.port(), db.database());
    return fmt::format("postgresql+psycopg://{}@{}", db.user(), place);
}

class LayoutJob {
public:
    LayoutJob(const CopyRequest& request, Layout layout, CopyObserver& observer)
        : request_(request),
          observer_(observer),
          columns_(layout == Layout::langchain ? langchain_columns : legacy_columns) {
        report_.layout = layout;
        report_.table = request.target;
        if (layout == Layout::langchain_legacy) report_.table.table = "langchain_pg_embedding";
    }

    LayoutReport run() {
        copy_beside();
        if (report_.copy.is_empty) return std::move(report_);
        if (report_.copy.verification && !report_.copy.verification->is_equal()) return std::move(report_);
        db_.emplace(pg::Connection::open(request_.conninfo));
        const TargetLock lock{request_.conninfo, report_.table};
        pgvector_ = store::find_pgvector(*db_).value();
        report_.url = sqlalchemy_url(*db_);
        try {
            move_in();
        } catch (const Error& error) {
            // Another table would take the same rows: nothing is gained by keeping them here.
            if (!error.is_retryable()) db_->exec("DROP TABLE IF EXISTS " + staging().quoted(*db_));
            throw;
        }
        db_->exec("DROP TABLE " + staging().quoted(*db_));
        return std::move(report_);
    }

private:
    void move_in() {
        check_table();
        timed("transfer", [&] { transfer(); });
        timed("compare", [&] { compare(); });
        if (request_.index != store::IndexKind::none) timed("index", [&] { build_index(); });
    }

    bool is_legacy() const noexcept { return report_.layout == Layout::langchain_legacy; }
    TableName staging() const { return report_.copy.table; }
    std::string table() const { return report_.table.quoted(*db_); }
    TableName collections() const { return {report_.table.schema, "langchain_pg_collection"}; }
    std::string same_row() const { return fmt::format("t.{} = s.id", columns_.id); }
    std::string of_collection() const {
        return is_legacy() ? fmt::format(" AND t.collection_id = {}", db_->quote_literal(collection_id_)) : "";
    }

    template <typename Work>
    void timed(const std::string& name, const Work& work) {
        const auto start = std::chrono::steady_clock::now();
        work();
        const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
        report_.copy.phases.push_back({name, taken.count()});
    }

    void copy_beside() {
        CopyRequest beside = request_;
        if (report_.table.table.empty()) report_.table.table = request_.collection.name;
        // Of a shared table each collection has its own.
        beside.target.table = derived_name(is_legacy() ? "langchain_" + request_.collection.name : report_.table.table,
                                           std::string{staging_suffix});
        beside.index = store::IndexKind::none;
        beside.prune = true;
        report_.copy = copy_collection(beside, observer_);
    }

    std::optional<std::string> type_of(std::string_view column) {
        const pg::Result found = db_->query(column_sql, {table(), std::string{column}});
        return found.empty() ? std::nullopt : std::optional{std::string{found.text(0, 0)}};
    }

    void require_type(std::string_view column, std::initializer_list<std::string_view> types) {
        const auto type = type_of(column);
        if (type && std::ranges::find(types, *type) != types.end()) return;
        throw Error{
            ErrorCode::conflict,
            fmt::format("Table {} has {} column {}{}, which is not what langchain-postgres or this collection's "
                        "ids need",
                        report_.table.shown(), type ? "a" : "no", column, type ? " of type " + *type : ""),
            "Copy into another table with --to NAME, or another schema with --schema NAME."};
    }

    void check_table() {
        if (!table_exists(*db_, report_.table)) return;
        require_type(columns_.id, {"text", "character varying"});
        require_type(columns_.document, {"text", "character varying"});
        require_type(columns_.metadata, {columns_.metadata_type});
        const pg::Result found = db_->query(column_sql, {table(), "embedding"});
        const std::int64_t dimension = found.empty() ? -1 : found.integer(0, 1);
        if (!found.empty() && (dimension < 0 || dimension == report_.copy.shape.dimension)) return;
        throw Error{
            ErrorCode::dimension_mismatch,
            fmt::format("Embedding dimension mismatch: collection '{}' holds {}-d vectors, column {}.embedding "
                        "is vector({})",
                        report_.copy.collection.name, report_.copy.shape.dimension, report_.table.table, dimension),
            "Copy into another table with --to NAME, or another schema with --schema NAME."};
    }

    void create() {
        const std::string type =
            fmt::format("{}({})", pgvector_->type(pg::VectorType::vector), report_.copy.shape.dimension);
        if (!is_legacy()) {
            db_->exec(
                fmt::format("CREATE TABLE IF NOT EXISTS {} (langchain_id text PRIMARY KEY, content text NOT NULL, "
                            "embedding {} NOT NULL, langchain_metadata json)",
                            table(), type));
            return;
        }
        db_->exec(fmt::format(
            "CREATE TABLE IF NOT EXISTS {0} (uuid uuid PRIMARY KEY, name varchar NOT NULL UNIQUE, cmetadata json); "
            "CREATE TABLE IF NOT EXISTS {1} (id varchar PRIMARY KEY, collection_id uuid REFERENCES {0} ON DELETE "
            "CASCADE, embedding {2}, document varchar, cmetadata jsonb); "
            "CREATE INDEX IF NOT EXISTS ix_cmetadata_gin ON {1} USING gin (cmetadata jsonb_path_ops)",
            collections().quoted(*db_), table(), type));
        // PGVector makes the column without a dimension when it is told none; such a column cannot be indexed.
        if (db_->query(column_sql, {table(), "embedding"}).integer(0, 1) < 0)
            db_->exec(fmt::format("ALTER TABLE {} ALTER COLUMN embedding TYPE {}", table(), type));
        const chroma::Collection& collection = report_.copy.collection;
        const std::string names = collections().quoted(*db_);
        db_->query(
            fmt::format("INSERT INTO {} (uuid, name) VALUES ($1::uuid, $2) ON CONFLICT (name) DO NOTHING", names),
            {collection.id, collection.name});
        collection_id_ =
            db_->query(fmt::format("SELECT uuid FROM {} WHERE name = $1", names), {collection.name}).text(0, 0);
        refuse_ids_of_others();
    }

    void refuse_ids_of_others() {
        const pg::Result others =
            db_->exec(fmt::format("SELECT count(*), min(t.id) FROM {} t JOIN {} s ON {} WHERE t.collection_id <> {}",
                                  table(), staging().quoted(*db_), same_row(), db_->quote_literal(collection_id_)));
        if (others.integer(0, 0) == 0) return;
        throw Error{
            ErrorCode::conflict,
            fmt::format("{} ids of collection '{}' belong to another collection in {} already, among them '{}'",
                        others.integer(0, 0), report_.copy.collection.name, report_.table.shown(), others.text(0, 1)),
            "That table has one id for all its collections: copy into another schema with --schema NAME, or "
            "with --layout langchain into a table of its own."};
    }

    void transfer() {
        pg::Transaction tx{*db_, "BEGIN; SET LOCAL statement_timeout = 0"};
        create();
        const std::string more = is_legacy() ? ", collection_id" : "";
        const std::string more_values = is_legacy() ? ", " + db_->quote_literal(collection_id_) + "::uuid" : "";
        const pg::Result written = db_->exec(fmt::format(
            "INSERT INTO {0} AS t ({1}, {2}, {3}, embedding{4}) SELECT s.id, {5}, {6}, s.embedding{7} FROM {8} s ON "
            "CONFLICT ({1}) DO UPDATE SET {2} = excluded.{2}, {3} = excluded.{3}, embedding = excluded.embedding WHERE "
            "(t.{2}, t.{3}::text, {9}.vector_send(t.embedding)) IS DISTINCT FROM (excluded.{2}, excluded.{3}::text, "
            "{9}.vector_send(excluded.embedding))",
            table(), columns_.id, columns_.document, columns_.metadata, more, columns_.document_of_s,
            columns_.metadata_of_s, more_values, staging().quoted(*db_), pgvector_->schema));
        if (request_.prune) report_.pruned = prune();
        tx.commit();
        report_.written = written.affected();
        report_.unchanged = count_rows(*db_, staging()) - report_.written;
        report_.is_transferred = true;
    }

    /// Of rows that are not in the staging table, those stay whose records the source has but cannot give.
    std::uint64_t prune() {
        std::vector<std::string> lost;
        std::ranges::remove_copy_if(report_.copy.lost_ids, std::back_inserter(lost),
                                    [](const std::string& id) { return find_text_fault(id).has_value(); });
        return db_
            ->query(fmt::format("DELETE FROM {0} t WHERE NOT EXISTS (SELECT FROM {1} s WHERE {2}){3} "
                                "AND NOT EXISTS (SELECT FROM decant.rejects r WHERE r.run_id = $1 "
                                "AND r.id = pg_catalog.convert_to(t.{4}, 'UTF8')) "
                                "AND NOT EXISTS (SELECT FROM pg_catalog.unnest($2::text[]) lost WHERE lost = t.{4})",
                                table(), staging().quoted(*db_), same_row(), of_collection(), columns_.id),
                    {std::to_string(report_.copy.run_id), pg::array_literal(lost)})
            .affected();
    }

    void compare() {
        const pg::Result differing = db_->exec(fmt::format(
            "SELECT s.id, count(*) OVER () FROM {0} s LEFT JOIN {1} t ON {2}{3} WHERE t.{4} IS NULL OR (t.{5}, "
            "t.{6}::text, {7}.vector_send(t.embedding)) IS DISTINCT FROM ({8}, ({9})::text, "
            "{7}.vector_send(s.embedding)) "
            "ORDER BY s.id LIMIT {10}",
            staging().quoted(*db_), table(), same_row(), of_collection(), columns_.id, columns_.document,
            columns_.metadata, pgvector_->schema, columns_.document_of_s, columns_.metadata_of_s, max_listed_ids));
        for (int row = 0; row < differing.rows(); ++row) {
            report_.difference_count = static_cast<std::uint64_t>(differing.integer(row, 1));
            report_.differing_ids.emplace_back(differing.text(row, 0));
        }
    }

    void build_index() {
        if (!db_->query(has_index_sql, {table()}).boolean(0, 0)) {
            const store::IndexPlan plan{.schema = report_.table.schema,
                                        .table = report_.table.table,
                                        .column = "embedding",
                                        .name = derived_name(report_.table.table, "_embedding_idx"),
                                        .kind = request_.index,
                                        .space = report_.copy.shape.space,
                                        .dimension = report_.copy.shape.dimension,
                                        .rows = count_rows(*db_, report_.table)};
            pg::Connection watcher = pg::Connection::open(request_.conninfo);
            observer_.begin_phase("index", 0);
            store::build_index(
                {*db_, watcher, store::size_build(*db_, plan)}, create_index_sql(*db_, *pgvector_, plan),
                [&](const std::string&, std::uint64_t done, std::uint64_t) { return observer_.progress(done, 0); });
            observer_.end_phase();
        }
        db_->exec("ANALYZE " + table());
    }

    const CopyRequest& request_;
    CopyObserver& observer_;
    LayoutColumns columns_;
    LayoutReport report_;
    std::optional<pg::Connection> db_;
    std::optional<store::Pgvector> pgvector_;
    std::string collection_id_;
};

}  // namespace

LayoutReport copy_to_layout(const CopyRequest& request, Layout layout, CopyObserver& observer) {
    return LayoutJob{request, layout, observer}.run();
}

json::object layout_json(const LayoutReport& report) {
    json::object out = report_json(report.copy);
    json::array ids(report.differing_ids.begin(), report.differing_ids.end());
    out["layout"] = {{"name", report.layout == Layout::langchain ? "langchain" : "langchain-legacy"},
                     {"table", report.table.shown()},
                     {"written", report.written},
                     {"unchanged", report.unchanged},
                     {"pruned", report.pruned},
                     {"equal", report.is_equal()},
                     {"difference_count", report.difference_count},
                     {"differing_ids", std::move(ids)}};
    return out;
}

std::string layout_python(const LayoutReport& report) {
    const auto quoted = [](const std::string& text) { return json_text(json::string(text)); };
    const catalog::Space space = report.copy.shape.space;
    if (report.layout == Layout::langchain) {
        const std::string_view strategy = space == catalog::Space::l2       ? "EUCLIDEAN"
                                          : space == catalog::Space::cosine ? "COSINE_DISTANCE"
                                                                            : "INNER_PRODUCT";
        return fmt::format(
            "from langchain_postgres import PGEngine, PGVectorStore\n"
            "from langchain_postgres.v2.indexes import DistanceStrategy\n"
            "engine = PGEngine.from_connection_string({})\n"
            "store = PGVectorStore.create_sync(engine, EMBEDDINGS, {}, schema_name={}, "
            "distance_strategy=DistanceStrategy.{})",
            quoted(report.url), quoted(report.table.table), quoted(report.table.schema), strategy);
    }
    const std::string_view strategy = space == catalog::Space::l2       ? "EUCLIDEAN"
                                      : space == catalog::Space::cosine ? "COSINE"
                                                                        : "MAX_INNER_PRODUCT";
    return fmt::format(
        "from langchain_postgres.vectorstores import DistanceStrategy, PGVector\n"
        "store = PGVector(EMBEDDINGS, connection={}, collection_name={}, embedding_length={},\n"
        "                 distance_strategy=DistanceStrategy.{}, create_extension=False)",
        quoted(report.url), quoted(report.copy.collection.name), report.copy.shape.dimension, strategy);
}

}  // namespace decant::migrate
