#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "migrate/row_encoder.hpp"
#include "pg/connection.hpp"
#include "store/pgvector.hpp"
#include "store/server_check.hpp"

namespace decant::migrate {

using store::psql_command;
using store::throw_problems;

/// A table (id text primary key, document text, metadata jsonb, embedding vector(d)) by its unquoted names.
struct TableName {
    std::string schema;
    std::string table;

    std::string shown() const { return schema + "." + table; }
    std::string quoted(const pg::Connection& db) const;
    /// As decant's own commands take it, in the words of a shell: NAME, or NAME --schema SCHEMA.
    std::string arguments() const;
};

/// Longest identifier that PostgreSQL keeps (NAMEDATALEN - 1).
inline constexpr std::size_t max_identifier_bytes = 63;

/// `base` + `suffix`; where PostgreSQL would cut that, the start of `base` with a hash of the whole, so that tables
/// with long names that begin alike never share what is kept of them.
std::string derived_name(const std::string& base, const std::string& suffix);

/// Everything that keeps a copy from starting, found before anything is written.
struct Preflight {
    std::vector<Error> problems;
    std::optional<store::Pgvector> pgvector;  ///< none: not installed, and it will be created when no problem is left
    bool table_exists = false;
};

struct PreflightRequest {
    TableName table;
    RowShape shape;
    store::IndexKind index = store::IndexKind::hnsw;
    bool makes_table = true;
};

Preflight check_target(pg::Connection& db, const PreflightRequest& request);

/// Installs the extension where it is missing and may be; gives it.
store::Pgvector ensure_pgvector(pg::Connection& db, const Preflight& preflight);

bool table_exists(pg::Connection& db, const TableName& name);

/// True when the table has decant's four columns with the types of `shape`; other columns may stand beside them.
bool has_row_shape(pg::Connection& db, const TableName& name, const RowShape& shape);

std::string create_table_sql(const pg::Connection& db, const store::Pgvector& pgvector, const TableName& name,
                             const RowShape& shape);

std::uint64_t count_rows(pg::Connection& db, const TableName& name);

/// Rows inserted, updated and deleted so far, as the server's statistics count them; they restart after a crash.
std::int64_t count_changes(pg::Connection& db, const TableName& name);

}  // namespace decant::migrate
