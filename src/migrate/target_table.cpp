#include "migrate/target_table.hpp"

#include <fmt/format.h>

#include <span>

#include "core/sha256.hpp"
#include "core/shell_word.hpp"

namespace decant::migrate {

namespace {

constexpr std::string_view schema_state_sql =
    "SELECT (SELECT pg_catalog.has_schema_privilege(oid, 'CREATE') FROM pg_catalog.pg_namespace WHERE nspname = $1), "
    "(SELECT pg_catalog.has_schema_privilege(oid, 'CREATE') OR pg_catalog.to_regclass('decant.kept') IS NOT NULL "
    "FROM pg_catalog.pg_namespace WHERE nspname = 'decant')";

constexpr std::string_view table_exists_sql =
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = $1 AND c.relname = $2)";

constexpr std::string_view row_shape_sql =
    "SELECT count(*) FILTER (WHERE (a.attname, pg_catalog.format_type(a.atttypid, NULL), t.typname) IN "
    "(('id', 'text', 'text'), ('document', 'text', 'text'), ('metadata', 'jsonb', 'jsonb')) "
    "OR (a.attname = 'embedding' AND t.typname = $3 AND a.atttypmod = $4::int)) "
    "FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid "
    "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_type t ON t.oid = a.atttypid "
    "WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped";

constexpr std::string_view changes_sql =
    "SELECT coalesce(pg_catalog.pg_stat_get_tuples_inserted(c.oid) + pg_catalog.pg_stat_get_tuples_updated(c.oid) + "
    "pg_catalog.pg_stat_get_tuples_deleted(c.oid), 0) FROM pg_catalog.pg_class c "
    "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2";

void check_schemas(pg::Connection& db, const PreflightRequest& request, bool may_create_schema, Preflight& preflight) {
    const pg::Result schemas = db.query(schema_state_sql, {request.table.schema});
    if (schemas.is_null(0, 0)) {
        preflight.problems.push_back(
            {ErrorCode::not_found,
             fmt::format("Schema '{}' does not exist in database '{}'", request.table.schema, db.database()),
             store::psql_call(db, "CREATE SCHEMA " + db.quote_identifier(request.table.schema) + ";")});
    } else if (request.makes_table && !schemas.boolean(0, 0)) {
        preflight.problems.push_back(
            {ErrorCode::permission_denied,
             fmt::format("Role '{}' may not create tables in schema '{}'", db.user(), request.table.schema),
             "Have its owner run: GRANT CREATE ON SCHEMA " + db.quote_identifier(request.table.schema) + " TO " +
                 db.quote_identifier(db.user()) + ";"});
    }
    const bool has_state_schema = !schemas.is_null(0, 1);
    if (has_state_schema ? schemas.boolean(0, 1) : may_create_schema) return;
    preflight.problems.push_back(
        {ErrorCode::permission_denied,
         fmt::format("Role '{}' may not create the schema 'decant', where run records are kept", db.user()),
         "Have an administrator run: CREATE SCHEMA decant AUTHORIZATION " + db.quote_identifier(db.user()) + ";"});
}

void check_dimension(const PreflightRequest& request, std::vector<Error>& problems) {
    const std::uint32_t limit = store::max_index_dimensions(request.shape.type);
    if (request.index == store::IndexKind::none || request.shape.dimension <= limit) return;
    const bool halfvec_fits = request.shape.type == pg::VectorType::vector &&
                              request.shape.dimension <= store::max_index_dimensions(pg::VectorType::halfvec);
    problems.push_back(
        {ErrorCode::store_rejected,
         fmt::format("The collection's vectors have {} dimensions, an index of pgvector takes at most {} "
                     "for type {}",
                     request.shape.dimension, limit, pg::name_of(request.shape.type)),
         halfvec_fits ? "Copy with --type halfvec (16-bit floats, up to 4,000 dimensions), or with --index none."
                      : "Copy with --index none: searches scan all rows."});
}

}  // namespace

std::string TableName::quoted(const pg::Connection& db) const {
    return db.quote_identifier(schema) + "." + db.quote_identifier(table);
}

std::string TableName::arguments() const {
    return schema == "public" ? shell_word(table) : shell_word(table) + " --schema " + shell_word(schema);
}

std::string derived_name(const std::string& base, const std::string& suffix) {
    if (base.size() + suffix.size() <= max_identifier_bytes) return base + suffix;
    constexpr std::size_t hash_bytes = 4;
    const Digest digest = sha256(base);
    const std::string tail = "_" + hex(std::span{digest}.first(hash_bytes)) + suffix;
    std::size_t length = max_identifier_bytes - tail.size();
    while (length > 0 && (static_cast<unsigned char>(base[length]) & 0xc0U) == 0x80U)
        --length;
    return base.substr(0, length) + tail;
}

Preflight check_target(pg::Connection& db, const PreflightRequest& request) {
    Preflight preflight;
    const store::ServerFacts facts = store::read_server_facts(db);
    preflight.pgvector = facts.pgvector;
    preflight.problems = store::find_server_problems(db, facts, false);
    check_schemas(db, request, facts.may_create_schemas, preflight);
    check_dimension(request, preflight.problems);
    preflight.table_exists = table_exists(db, request.table);
    return preflight;
}

store::Pgvector ensure_pgvector(pg::Connection& db, const Preflight& preflight) {
    if (preflight.pgvector) return *preflight.pgvector;
    db.exec("CREATE EXTENSION IF NOT EXISTS vector");
    return store::find_pgvector(db).value();
}

bool table_exists(pg::Connection& db, const TableName& name) {
    return db.query(table_exists_sql, {name.schema, name.table}).boolean(0, 0);
}

bool has_row_shape(pg::Connection& db, const TableName& name, const RowShape& shape) {
    return db.query(row_shape_sql,
                    {name.schema, name.table, std::string{pg::name_of(shape.type)}, std::to_string(shape.dimension)})
               .integer(0, 0) == 4;
}

std::string create_table_sql(const pg::Connection& db, const store::Pgvector& pgvector, const TableName& name,
                             const RowShape& shape) {
    // COLLATE "C": bytewise like Chroma's own order, so that table and source are compared as two ordered streams.
    return fmt::format(
        "CREATE TABLE {} (id text COLLATE \"C\" PRIMARY KEY, document text, metadata jsonb, embedding {}({}))",
        name.quoted(db), pgvector.type(shape.type), shape.dimension);
}

std::uint64_t count_rows(pg::Connection& db, const TableName& name) {
    return static_cast<std::uint64_t>(db.exec("SELECT count(*) FROM " + name.quoted(db)).integer(0, 0));
}

std::int64_t count_changes(pg::Connection& db, const TableName& name) {
    return db.query(changes_sql, {name.schema, name.table}).integer(0, 0);
}

}  // namespace decant::migrate
