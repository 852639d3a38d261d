#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "pg/connection.hpp"
#include "store/pgvector.hpp"

namespace decant::store {

/// What a server lets the connected role do, as far as pgvector and decant's own tables go.
struct ServerFacts {
    std::optional<Pgvector> pgvector;      ///< installed in the connected database
    std::optional<std::string> available;  ///< version that the server has a package of
    bool is_read_only = false;
    bool may_create_schemas = false;
    bool may_create_extension = false;
};

ServerFacts read_server_facts(pg::Connection& db);

/// PostgreSQL older than 15, read-only, pgvector older than 0.8 or not installed and not to be had. With
/// `must_be_installed` a pgvector that could be installed now is a problem too.
std::vector<Error> find_server_problems(const pg::Connection& db, const ServerFacts& facts, bool must_be_installed);

/// Throws one Error that names all problems; nothing when there are none.
void throw_problems(const std::vector<Error>& problems);

/// "psql -h HOST -p PORT -U USER -d DATABASE" of `db`, as a message proposes it.
std::string psql_command(const pg::Connection& db);

/// The same with -c SQL.
std::string psql_call(const pg::Connection& db, std::string_view sql);

}  // namespace decant::store
