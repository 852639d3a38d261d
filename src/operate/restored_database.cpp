#include "operate/restored_database.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

#include "core/error.hpp"
#include "core/failpoint.hpp"
#include "core/log.hpp"
#include "operate/postgres_tool.hpp"
#include "pg/conninfo.hpp"
#include "store/index_builder.hpp"

namespace decant::operate {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view name_prefix = "decant_restore_";
constexpr std::string_view lock_sql =
    "SELECT pg_catalog.pg_try_advisory_xact_lock(pg_catalog.hashtextextended('decant restore ' || $1::text, 0))";
constexpr std::string_view abandoned_sql =
    "SELECT datname FROM pg_catalog.pg_database WHERE datname ~ '^decant_restore_[0-9a-f]{16}$' "
    "AND pg_catalog.pg_has_role(datdba, 'USAGE')";
constexpr std::string_view has_database_sql = "SELECT count(*) FROM pg_catalog.pg_database WHERE datname = $1";
constexpr std::string_view end_sessions_sql =
    "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity "
    "WHERE datname = $1 AND pid <> pg_catalog.pg_backend_pid() AND backend_type = 'client backend'";

constexpr auto usual_database = "postgres";

std::string new_name() {
    std::random_device device;
    return fmt::format("{}{:08x}{:08x}", name_prefix, device(), device());
}

/// CREATE, DROP and RENAME of a database are said from another one.
std::string other_database(const std::string& conninfo, std::string_view renamed) {
    if (renamed == usual_database) return with_database(conninfo, "template1");
    const std::string usual = with_database(conninfo, usual_database);
    try {
        pg::Connection::open(usual);
        return usual;
    } catch (const Error& error) {
        if (error.code() != ErrorCode::not_found) throw;
    }
    return with_database(conninfo, "template1");
}

void drop_database(pg::Connection& db, const std::string& name) {
    db.exec(fmt::format("DROP DATABASE IF EXISTS {} WITH (FORCE)", db.quote_identifier(name)));
}

/// Of processes that were killed: nobody holds their lock.
void drop_abandoned(const std::string& conninfo) {
    pg::Connection db = pg::Connection::open(conninfo);
    const pg::Result found = db.exec(abandoned_sql);
    for (int row = 0; row < found.rows(); ++row) {
        const std::string name{found.text(row, 0)};
        const pg::HeldLock lock{conninfo, lock_sql, {name}};
        if (lock.is_held()) drop_database(db, name);
    }
}

Error roles_missing(const std::vector<std::string>& roles) {
    return {
        ErrorCode::not_found,
        fmt::format("The backup has objects of roles that this server lacks: {}", fmt::join(roles, ", ")),
        "Make them (CREATE ROLE …; `decant schema roles` prints those of decant), or give --no-owner: then everything "
        "is the connected role's."};
}

}  // namespace

RestoredDatabase::RestoredDatabase(const std::string& conninfo, const DatabaseBackup& backup, RestoreOptions options)
    : conninfo_(other_database(conninfo, options.takes_name_of)),
      backup_(backup),
      options_(std::move(options)),
      name_(new_name()),
      lock_(conninfo_, lock_sql, {name_}) {
    drop_abandoned(conninfo_);
    pg::Connection db = pg::Connection::open(conninfo_);
    if (options_.keeps_owners) {
        if (const auto missing = missing_roles(db, backup.properties); !missing.empty()) throw roles_missing(missing);
    }
    db.exec(create_database_sql(db, backup.properties, name_, options_.keeps_owners ? backup.properties.owner : ""));
    is_ours_ = true;
    failpoint("restore.created");
}

RestoredDatabase::~RestoredDatabase() {
    if (is_ours_) drop();
}

void RestoredDatabase::drop() noexcept {
    try {
        pg::Connection db = pg::Connection::open(conninfo_);
        drop_database(db, name_);
    } catch (const std::exception& error) {
        log::warning("Database {} was left behind ({}); the next restore removes it", name_, error.what());
    }
}

/// Memory for the largest vector index, which would take hours with the server's default.
std::string RestoredDatabase::build_options() const {
    const auto largest = std::ranges::max_element(
        backup_.tables, {}, [](const TableDigest& table) { return table.rows * table.dimension; });
    if (largest == backup_.tables.end() || largest->dimension == 0) return {};
    pg::Connection db = pg::Connection::open(conninfo_);
    const store::BuildResources resources = store::size_build(
        db,
        {.schema = {}, .table = {}, .column = {}, .name = {}, .dimension = largest->dimension, .rows = largest->rows});
    return fmt::format("-c maintenance_work_mem={}kB -c max_parallel_maintenance_workers={}",
                       resources.maintenance_work_mem_kib, resources.parallel_workers);
}

void RestoredDatabase::load(const std::filesystem::path& dump) {
    pg::Connection db = pg::Connection::open(with_database(conninfo_, name_));
    for (const std::string& extension : backup_.properties.extensions)
        db.exec(fmt::format("CREATE EXTENSION IF NOT EXISTS {}", db.quote_identifier(extension)));
    const int least = std::max(major_version(backup_.pg_dump_version), db.server_version() / 10000);
    const PostgresTool pg_restore = find_postgres_tool("pg_restore", least, options_.postgres_folder);
    pg::Keywords keywords = pg::parse_conninfo(with_database(conninfo_, name_)).value_or(pg::Keywords{});
    if (!keywords.contains("options")) {
        const char* inherited = std::getenv("PGOPTIONS");
        keywords["options"] = inherited == nullptr ? "" : inherited;
    }
    keywords["options"] += " -c statement_timeout=0 " + build_options();
    std::vector<std::string> arguments{"--exit-on-error"};
    if (!options_.keeps_owners) arguments.insert(arguments.end(), {"--no-owner", "--no-privileges"});
    arguments.push_back(std::filesystem::absolute(dump).string());
    run_postgres_tool(pg_restore, pg::conninfo_of(keywords), arguments);
    failpoint("restore.loaded");
    // A new session: the server may end one that was idle for so long.
    pg::Connection::open(with_database(conninfo_, name_)).exec("SET statement_timeout = 0; ANALYZE");
}

std::vector<std::string> RestoredDatabase::differences() const {
    pg::Connection db = pg::Connection::open(with_database(conninfo_, name_));
    pg::Transaction tx{db, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"};
    if (db.server_version() >= 170000) db.exec("SET LOCAL transaction_timeout = 0");
    return operate::differences(backup_.tables, digest_tables(db));
}

std::vector<std::string> RestoredDatabase::apply_properties() {
    if (!options_.keeps_owners) return {};
    pg::Connection db = pg::Connection::open(conninfo_);
    return operate::apply_properties(db, backup_.properties, name_);
}

void RestoredDatabase::take_name(const std::string& name, const std::optional<std::string>& kept) {
    pg::Connection db = pg::Connection::open(conninfo_);
    pg::Connection killer = pg::Connection::open(conninfo_);
    pg::Transaction tx{db};
    const auto rename = [&](const std::string& from, const std::string& to) {
        // RENAME keeps new sessions out and waits 5 s for those that are there.
        const auto sql =
            fmt::format("ALTER DATABASE {} RENAME TO {}", db.quote_identifier(from), db.quote_identifier(to));
        db.exec_watched(sql, 50ms, [&] {
            killer.query(end_sessions_sql, {from});
            return true;
        });
    };
    if (kept) rename(name, *kept);
    failpoint("restore.swapping");
    rename(name_, name);
    tx.commit();
    is_ours_ = false;
}

bool has_database(const std::string& conninfo, const std::string& name) {
    return pg::Connection::open(other_database(conninfo, "")).query(has_database_sql, {name}).integer(0, 0) > 0;
}

}  // namespace decant::operate
