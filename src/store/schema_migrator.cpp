#include "store/schema_migrator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <ranges>
#include <thread>

#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/sha256.hpp"
#include "store/index_builder.hpp"
#include "store/migrations.hpp"

namespace decant::store {
namespace {

using namespace std::chrono_literals;

constexpr int most_tries = 5;

/// In a migration's text: what follows are its indexes, one statement each.
constexpr std::string_view indexes_mark = "-- decant: the indexes.";
constexpr std::string_view create_index = "CREATE INDEX IF NOT EXISTS ";

constexpr std::string_view is_recorded_sql = "SELECT pg_catalog.to_regclass('decant.schema_migrations') IS NOT NULL";
constexpr std::string_view record_of_sql =
    "SELECT checksum, pg_catalog.to_char(applied_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') "
    "FROM decant.schema_migrations WHERE version = $1::int";

// CREATE SCHEMA IF NOT EXISTS asks for the right also where the schema is there.
constexpr std::string_view prepare_sql = R"sql(
DO $$ BEGIN IF pg_catalog.to_regnamespace('decant') IS NULL THEN CREATE SCHEMA decant; END IF; END $$;
CREATE TABLE IF NOT EXISTS decant.schema_migrations (
    version int PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
))sql";

constexpr std::string_view newest_sql =
    "SELECT version, name FROM decant.schema_migrations ORDER BY version DESC LIMIT 1";

constexpr std::string_view record_sql =
    "INSERT INTO decant.schema_migrations (version, name, checksum) VALUES ($1::int, $2, $3) "
    "ON CONFLICT (version) DO UPDATE SET name = excluded.name, checksum = excluded.checksum, applied_at = now()";

constexpr std::string_view search_path_sql =
    "SELECT pg_catalog.concat_ws(', ', pg_catalog.quote_ident($1), (SELECT pg_catalog.string_agg(DISTINCT "
    "pg_catalog.quote_ident(n.nspname), ', ') FROM pg_catalog.pg_extension e "
    "JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname IN ('vector', 'pg_trgm')))";

// pg_trgm is trusted: whoever may create schemas in the database may create it.
constexpr std::string_view rights_sql =
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'pg_trgm'), "
    "EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = 'pg_trgm'), "
    "(SELECT pg_catalog.has_schema_privilege(oid, 'CREATE') FROM pg_catalog.pg_namespace WHERE nspname = 'decant')";

constexpr std::string_view blockers_sql = R"sql(
SELECT pg_catalog.string_agg(pg_catalog.format('pid %s (user %s, application %s, %s: %s)', a.pid, a.usename,
           coalesce(nullif(a.application_name, ''), 'unnamed'), coalesce(a.state, 'state unknown'),
           pg_catalog.left(a.query, 100)), '; ')
FROM pg_catalog.pg_stat_activity a WHERE a.pid = ANY (pg_catalog.pg_blocking_pids($1::int)))sql";

std::string checksum_of(const Migration& migration) {
    const Digest digest = sha256(migration.up);
    return hex(digest);
}

void wait_before_try(int tries) {
    static thread_local std::mt19937 random{std::random_device{}()};
    const auto longest = 250ms * (1 << tries);
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds{std::uniform_int_distribution{
                                                            longest.count() / 2, longest.count()}(random)};
    while (std::chrono::steady_clock::now() < end && !interrupted())
        std::this_thread::sleep_for(20ms);
}

std::vector<Error> find_rights_problems(pg::Connection& db, const ServerFacts& facts, const CatalogState& state) {
    std::vector<Error> problems;
    const pg::Result rights = db.exec(rights_sql);
    const std::string role = db.quote_identifier(db.user());
    if (!state.may_alter) {
        problems.push_back({ErrorCode::permission_denied,
                            state.has_products
                                ? fmt::format("Role '{}' may not alter {}.products, which belongs to another role",
                                              db.user(), state.schema)
                                : fmt::format("Role '{}' may not make tables in schema '{}'", db.user(), state.schema),
                            state.has_products ? "Run it as the owner of products."
                                               : fmt::format("Have its owner run: GRANT CREATE ON SCHEMA {} TO {};",
                                                             db.quote_identifier(state.schema), role)});
    }
    if (!facts.may_create_schemas && !(!rights.is_null(0, 2) && rights.boolean(0, 2))) {
        problems.push_back({ErrorCode::permission_denied,
                            fmt::format("Role '{}' may not create the schema 'decant', where what was applied is "
                                        "recorded",
                                        db.user()),
                            fmt::format("Have an administrator run: CREATE SCHEMA decant AUTHORIZATION {};", role)});
    }
    if (!state.has_products && !rights.boolean(0, 0) && !(rights.boolean(0, 1) && facts.may_create_schemas)) {
        problems.push_back({ErrorCode::permission_denied,
                            fmt::format("pg_trgm extension not installed in database '{}', and role '{}' may not "
                                        "create it (or the server has no package of it)",
                                        db.database(), db.user()),
                            "Have an administrator run: " + psql_call(db, "CREATE EXTENSION IF NOT EXISTS pg_trgm;")});
    }
    return problems;
}

}  // namespace

SchemaMigrator::SchemaMigrator(const std::string& conninfo, Note note)
    : db_(pg::Connection::open(conninfo)), watcher_(pg::Connection::open(conninfo)), note_(std::move(note)) {}

std::vector<MigrationStatus> SchemaMigrator::status() {
    const CatalogState state = read_catalog_state(db_);
    const bool is_recorded = db_.exec(is_recorded_sql).boolean(0, 0);
    std::vector<MigrationStatus> all;
    for (const Migration& migration : all_migrations()) {
        MigrationStatus status{.version = migration.version, .name = std::string{migration.name}};
        for (const MissingObject& object : state.missing) {
            if (object.version == migration.version) status.missing.push_back(object.name);
        }
        std::string checksum;
        if (is_recorded) {
            const pg::Result record = db_.query(record_of_sql, {std::to_string(migration.version)});
            if (!record.empty()) checksum = record.text(0, 0), status.applied_at = record.text(0, 1);
        }
        if (checksum.empty())
            status.state = status.missing.empty() ? "made by hand" : "pending";
        else if (!status.missing.empty())
            status.state = "incomplete";
        else
            status.state = checksum == checksum_of(migration) ? "applied" : "outdated";
        all.push_back(std::move(status));
    }
    return all;
}

void SchemaMigrator::refuse_newer_schema() {
    if (!db_.exec(is_recorded_sql).boolean(0, 0)) return;
    const pg::Result newest = db_.exec(newest_sql);
    if (newest.empty() || newest.integer(0, 0) <= all_migrations().back().version) return;
    throw Error{ErrorCode::conflict,
                fmt::format("Database '{}' has migration {}, which this decant does not know", db_.database(),
                            newest.text(0, 1)),
                "A newer decant made it: use that one."};
}

std::vector<std::string> SchemaMigrator::up(std::optional<std::uint32_t> dimension) {
    refuse_newer_schema();
    const ServerFacts facts = read_server_facts(db_);
    const CatalogState state = read_catalog_state(db_);
    std::vector<Error> problems = find_server_problems(db_, facts, false);
    if (dimension) {
        if (const auto most = max_index_dimensions(pg::VectorType::vector); *dimension == 0 || *dimension > most) {
            problems.push_back({ErrorCode::request_invalid,
                                fmt::format("A vector column of {} dimensions cannot have an HNSW index", *dimension),
                                fmt::format("Choose a model of at most {} dimensions.", most)});
        } else if (auto problem = dimension_problem(state, *dimension, "--dimension asks for")) {
            problems.push_back(std::move(*problem));
        }
    }
    std::vector<const Migration*> pending;
    const std::vector<MigrationStatus> statuses = status();
    for (std::size_t i = 0; i < statuses.size(); ++i) {
        if (statuses[i].state != "applied") pending.push_back(&all_migrations()[i]);
    }
    if (!pending.empty()) std::ranges::move(find_rights_problems(db_, facts, state), std::back_inserter(problems));
    throw_problems(problems);
    std::vector<std::string> applied;
    for (const Migration* migration : pending) {
        apply(*migration, dimension.value_or(default_dimension));
        applied.emplace_back(migration->name);
    }
    return applied;
}

void SchemaMigrator::apply(const Migration& migration, std::uint32_t dimension) {
    const auto record = [&] {
        db_.query(record_sql, {std::to_string(migration.version), std::string{migration.name}, checksum_of(migration)});
    };
    const std::size_t indexes = std::min(migration.up.find(indexes_mark), migration.up.size());
    bool has_rows = false;
    in_locked_transaction([&] {
        db_.query("SELECT pg_catalog.set_config('decant.dimension', $1, true)", {std::to_string(dimension)});
        db_.exec(prepare_sql);
        has_rows = indexes < migration.up.size() && read_catalog_state(db_).has_products &&
                   run_watched("SELECT EXISTS (SELECT FROM products)").boolean(0, 0);
        run_watched(migration.up.substr(0, has_rows ? indexes : migration.up.size()));
        if (!has_rows) record();
    });
    if (!has_rows) return;
    build_indexes(migration.up.substr(indexes));
    in_locked_transaction(record);
}

void SchemaMigrator::build_indexes(std::string_view statements) {
    const CatalogState state = read_catalog_state(db_);
    const std::string path{db_.query(search_path_sql, {state.schema}).text(0, 0)};
    for (std::size_t start = 0; (start = statements.find(create_index, start)) != std::string_view::npos;) {
        start += create_index.size();
        const std::string statement{statements.substr(start, statements.find(';', start) - start)};
        const std::string name = statement.substr(0, statement.find(' '));
        const bool is_missing =
            std::ranges::any_of(state.missing, [&](const auto& object) { return object.name == "index " + name; });
        if (!is_missing) continue;
        // A concurrent build that was killed leaves an invalid index behind.
        in_locked_transaction([&] { run_watched("DROP INDEX IF EXISTS " + name); });
        const bool is_vector = statement.find("USING hnsw") != std::string::npos;
        const std::uint64_t vectors =
            is_vector ? static_cast<std::uint64_t>(db_.exec("SELECT count(embedding) FROM products").integer(0, 0)) : 0;
        const BuildResources resources =
            size_build(db_, {.dimension = state.dimension.value_or(default_dimension), .rows = vectors});
        db_.exec("SET search_path = " + path);
        const std::string pid{db_.exec("SELECT pg_catalog.pg_backend_pid()").text(0, 0)};
        build_index({db_, watcher_, resources}, "CREATE INDEX CONCURRENTLY " + statement,
                    [&](const std::string&, std::uint64_t, std::uint64_t) {
                        look_for_blockers(pid);
                        return !interrupted();
                    });
        db_.exec("RESET search_path");
    }
}

void SchemaMigrator::in_locked_transaction(const std::function<void()>& work) {
    for (int tries = 1;; ++tries) {
        blockers_.clear();
        try {
            const std::string schema = read_catalog_state(db_).schema;
            const std::string path{db_.query(search_path_sql, {schema}).text(0, 0)};
            pg::Transaction tx{db_};
            db_.exec("SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = 0; SET LOCAL search_path = " + path);
            run_watched("SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('decant schema', 0))");
            work();
            return tx.commit();
        } catch (const Error& error) {
            if (error.code() != ErrorCode::timed_out || interrupted()) throw;
            if (tries == most_tries) {
                throw Error{
                    ErrorCode::busy,
                    fmt::format("The catalog stayed locked through {} tries of 2 s: {}", most_tries,
                                blockers_.empty() ? error.happened() : "held by " + blockers_),
                    "Wait until that transaction ends, or end it (SELECT pg_terminate_backend(PID)), then run the "
                    "same command again. Nothing was changed by the last try."};
            }
            note_(fmt::format("try {} of {} waited 2 s: {}", tries, most_tries,
                              blockers_.empty() ? error.happened() : "held by " + blockers_));
        }
        wait_before_try(tries);
    }
}

pg::Result SchemaMigrator::run_watched(std::string_view sql) {
    const std::string pid{db_.exec("SELECT pg_catalog.pg_backend_pid()").text(0, 0)};
    return db_.exec_watched(sql, 250ms, [&] {
        look_for_blockers(pid);
        return !interrupted();
    });
}

void SchemaMigrator::look_for_blockers(const std::string& server_pid) {
    const auto found = watcher_.query(blockers_sql, {server_pid}).optional_text(0, 0);
    if (!found || *found == blockers_) return;
    if (blockers_.empty()) note_("waiting: held by " + *found);
    blockers_ = *found;
}

SchemaMigrator::Undone SchemaMigrator::down(int version) {
    refuse_newer_schema();
    Undone undone;
    const CatalogState state = read_catalog_state(db_);
    std::vector<Error> problems = find_server_problems(db_, read_server_facts(db_), false);
    std::erase_if(problems, [](const Error& problem) { return problem.code() != ErrorCode::store_unavailable; });
    if (!state.may_alter)
        std::ranges::move(find_rights_problems(db_, read_server_facts(db_), state), std::back_inserter(problems));
    throw_problems(problems);
    const bool is_recorded = db_.exec(is_recorded_sql).boolean(0, 0);
    for (const Migration& migration : all_migrations() | std::views::reverse) {
        if (migration.version <= version) break;
        in_locked_transaction([&] {
            run_watched(migration.down);
            if (is_recorded) {
                db_.query("DELETE FROM decant.schema_migrations WHERE version = $1::int",
                          {std::to_string(migration.version)});
            }
            undone.extension_stays =
                db_.exec("SELECT coalesce(pg_catalog.current_setting('decant.extension_stays', true), '')").text(0, 0);
        });
        undone.names.emplace_back(migration.name);
    }
    return undone;
}

}  // namespace decant::store
