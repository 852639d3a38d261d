#include "store/server_check.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "core/shell_word.hpp"

namespace decant::store {
namespace {

constexpr int oldest_server = 150000;
constexpr std::array<int, 3> oldest_pgvector{0, 8, 0};
constexpr std::string_view create_extension_sql = "CREATE EXTENSION IF NOT EXISTS vector;";

constexpr std::string_view facts_sql =
    "SELECT pg_catalog.pg_is_in_recovery() OR pg_catalog.current_setting('transaction_read_only')::bool, "
    "pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'), "
    "EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = current_user AND rolsuper), "
    "(SELECT max(default_version) FROM pg_catalog.pg_available_extensions WHERE name = 'vector'), "
    "(SELECT coalesce(bool_or(trusted), false) FROM pg_catalog.pg_available_extension_versions WHERE name = 'vector')";

bool is_older(std::string_view version, const std::array<int, 3>& oldest) {
    for (const int part : oldest) {
        int value = 0;
        const auto end = std::from_chars(version.data(), version.data() + version.size(), value).ptr;
        if (value != part) return value < part;
        version.remove_prefix(static_cast<std::size_t>(end - version.data()));
        if (!version.empty()) version.remove_prefix(1);
    }
    return false;
}

std::optional<Error> pgvector_problem(const pg::Connection& db, const ServerFacts& facts, bool must_be_installed) {
    if (facts.pgvector) {
        if (!is_older(facts.pgvector->version, oldest_pgvector)) return std::nullopt;
        return Error{
            ErrorCode::store_rejected,
            fmt::format("pgvector {} is installed in database '{}', decant needs 0.8.0 or newer",
                        facts.pgvector->version, db.database()),
            "Install a newer pgvector package on the server, then: " + psql_call(db, "ALTER EXTENSION vector UPDATE;")};
    }
    const std::string create = psql_call(db, create_extension_sql);
    if (!facts.available) {
        return Error{ErrorCode::store_rejected,
                     fmt::format("pgvector extension not installed: the server at {}:{} has no package of it",
                                 db.host(), db.port()),
                     fmt::format("Install it on the server (Debian, Ubuntu: postgresql-{}-pgvector), then: {}",
                                 db.server_version() / 10000, create)};
    }
    if (!facts.may_create_extension) {
        return Error{ErrorCode::permission_denied,
                     fmt::format("pgvector extension not installed in database '{}', and role '{}' may not create it",
                                 db.database(), db.user()),
                     "Have an administrator run: " + create};
    }
    if (!must_be_installed) return std::nullopt;
    return Error{ErrorCode::store_rejected,
                 fmt::format("pgvector extension not installed in database '{}'", db.database()), create};
}

}  // namespace

ServerFacts read_server_facts(pg::Connection& db) {
    const pg::Result row = db.exec(facts_sql);
    const bool is_superuser = row.boolean(0, 2);
    const bool is_trusted = row.boolean(0, 4);
    return {.pgvector = find_pgvector(db),
            .available = row.optional_text(0, 3),
            .is_read_only = row.boolean(0, 0),
            .may_create_schemas = row.boolean(0, 1),
            .may_create_extension = is_superuser || (is_trusted && row.boolean(0, 1))};
}

std::vector<Error> find_server_problems(const pg::Connection& db, const ServerFacts& facts, bool must_be_installed) {
    std::vector<Error> problems;
    if (db.server_version() < oldest_server) {
        problems.push_back({ErrorCode::store_rejected,
                            fmt::format("PostgreSQL at {}:{} is version {}, decant needs 15 or newer", db.host(),
                                        db.port(), db.server_version() / 10000),
                            "Upgrade the server, or name another one with --db."});
    }
    if (facts.is_read_only) {
        problems.push_back({ErrorCode::store_unavailable,
                            fmt::format("PostgreSQL at {}:{} takes no writes now (a standby, or "
                                        "default_transaction_read_only is on)",
                                        db.host(), db.port()),
                            "Name the primary (a multi-host --db with target_session_attrs=read-write finds it), then "
                            "run the same command again."});
    }
    if (auto problem = pgvector_problem(db, facts, must_be_installed)) problems.push_back(std::move(*problem));
    return problems;
}

void throw_problems(const std::vector<Error>& problems) {
    if (problems.empty()) return;
    if (problems.size() == 1) throw problems.front();
    std::string happened = fmt::format("{} things keep this from starting:", problems.size());
    std::string remedy = "Nothing was changed. In order:";
    const Error* first = &problems.front();
    for (std::size_t i = 0; i < problems.size(); ++i) {
        happened += fmt::format("\n  {}. {}: {}", i + 1, traits_of(problems[i].code()).name, problems[i].happened());
        remedy += fmt::format("\n  {}. {}", i + 1, problems[i].remedy());
        if (problems[i].code() == ErrorCode::permission_denied && first->code() != ErrorCode::permission_denied) {
            first = &problems[i];
        }
    }
    throw Error{first->code(), happened, remedy};
}

std::string psql_command(const pg::Connection& db) {
    return fmt::format("psql -h {} -p {} -U {} -d {}", shell_word(db.host()), db.port(), shell_word(db.user()),
                       shell_word(db.database()));
}

std::string psql_call(const pg::Connection& db, std::string_view sql) {
    return psql_command(db) + " -c " + shell_word(sql);
}

}  // namespace decant::store
