#include "migrate/replace.hpp"

#include <fmt/format.h>

#include <chrono>

#include "migrate/target_lock.hpp"

namespace decant::migrate {
namespace {

constexpr std::string_view old_suffix = "__decant_old";
constexpr std::string_view new_suffix = "__decant_new";
constexpr std::string_view undone_suffix = "__decant_undone";

constexpr std::string_view dependants_sql =
    "WITH t AS (SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = $1 AND c.relname = $2) "
    "SELECT 'foreign key ' || conname || ' of ' || conrelid::regclass FROM pg_catalog.pg_constraint "
    "WHERE contype = 'f' AND confrelid = (SELECT oid FROM t) "
    "UNION SELECT 'view ' || r.ev_class::regclass FROM pg_catalog.pg_depend d "
    "JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid WHERE d.classid = 'pg_catalog.pg_rewrite'::regclass "
    "AND d.refobjid = (SELECT oid FROM t) AND r.ev_class <> d.refobjid "
    "UNION SELECT 'trigger ' || tgname FROM pg_catalog.pg_trigger WHERE tgrelid = (SELECT oid FROM t) AND NOT "
    "tgisinternal "
    "UNION SELECT 'policy ' || polname FROM pg_catalog.pg_policy WHERE polrelid = (SELECT oid FROM t) "
    "UNION SELECT 'child table ' || inhrelid::regclass FROM pg_catalog.pg_inherits WHERE inhparent = (SELECT oid FROM "
    "t) "
    "ORDER BY 1";

constexpr std::string_view kind_sql =
    "SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'p' THEN 'partitioned table' "
    "WHEN 'f' THEN 'foreign table' WHEN 'S' THEN 'sequence' WHEN 'i' THEN 'index' ELSE 'type' END "
    "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind <> 'r'";

constexpr std::string_view owner_sql =
    "SELECT pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(c.relowner)) FROM pg_catalog.pg_class c "
    "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2";

// Grants to the owner come with ownership.
constexpr std::string_view grants_sql =
    "SELECT pg_catalog.string_agg(DISTINCT a.privilege_type, ', '), "
    "CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END, "
    "a.is_grantable FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace, "
    "LATERAL pg_catalog.aclexplode(c.relacl) a "
    "WHERE n.nspname = $1 AND c.relname = $2 AND a.grantee <> c.relowner GROUP BY 2, 3";

constexpr std::string_view indexes_sql =
    "SELECT ic.relname FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid "
    "JOIN pg_catalog.pg_class c ON c.oid = i.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = $1 AND c.relname = $2";

constexpr std::string_view is_recorded_sql =
    "SELECT EXISTS (SELECT FROM decant.runs WHERE table_schema = $1 AND table_name = $2 "
    "AND ($3 IN (previous_table, load_table) OR state = 'rolled_back'))";

constexpr std::string_view forget_follows_sql =
    "DELETE FROM decant.follows WHERE table_schema = $1 AND table_name = $2";

void take_over_access(pg::Connection& db, const TableName& from, const TableName& to) {
    const pg::Result grants = db.query(grants_sql, {from.schema, from.table});
    for (int row = 0; row < grants.rows(); ++row) {
        db.exec(fmt::format("GRANT {} ON {} TO {}{}", grants.text(row, 0), to.quoted(db), grants.text(row, 1),
                            grants.boolean(row, 2) ? " WITH GRANT OPTION" : ""));
    }
    const pg::Result owner = db.query(owner_sql, {from.schema, from.table});
    const pg::Result present = db.query(owner_sql, {to.schema, to.table});
    if (owner.text(0, 0) == present.text(0, 0)) return;
    db.exec(fmt::format("ALTER TABLE {} OWNER TO {}", to.quoted(db), owner.text(0, 0)));
}

/// The name without the suffix that decant put there.
std::string bare_name(std::string name) {
    for (const std::string_view suffix : {new_suffix, old_suffix, undone_suffix}) {
        if (const std::size_t at = name.find(suffix); at != std::string::npos) name.erase(at, suffix.size());
    }
    return name;
}

void rename_table(pg::Connection& db, const TableName& from, const std::string& to, const std::string& index_suffix) {
    db.exec(fmt::format("ALTER TABLE {} RENAME TO {}", from.quoted(db), db.quote_identifier(to)));
    const pg::Result indexes = db.query(indexes_sql, {from.schema, to});
    for (int row = 0; row < indexes.rows(); ++row) {
        const std::string present{indexes.text(row, 0)};
        const std::string wanted = derived_name(bare_name(present), index_suffix);
        // Long names are cut, so another index may have the wanted one: an index works under any name.
        if (present == wanted || table_exists(db, {from.schema, wanted})) continue;
        db.exec(fmt::format("ALTER INDEX {}.{} RENAME TO {}", db.quote_identifier(from.schema),
                            db.quote_identifier(present), db.quote_identifier(wanted)));
    }
}

/// The table of before is older than where a follower was: it is to compare everything.
void forget_follows(pg::Connection& db, const TableName& table) {
    if (table_exists(db, {"decant", "follows"})) db.query(forget_follows_sql, {table.schema, table.table});
}

void check_unchanged(pg::Connection& db, const TableName& table, std::int64_t run_id, bool force) {
    const pg::Result seen = db.query("SELECT changes FROM decant.runs WHERE id = $1", {std::to_string(run_id)});
    const bool is_known = !seen.empty() && !seen.is_null(0, 0);
    const std::int64_t now = count_changes(db, table);
    const std::int64_t then = is_known ? seen.integer(0, 0) : -1;
    if (force || now == then) return;
    throw Error{
        ErrorCode::conflict,
        is_known && now > then
            ? fmt::format("{} rows of {} were written since the copy: a rollback would put them aside", now - then,
                          table.shown())
            : fmt::format("Whether rows of {} were written since the copy is not known (the server's statistics "
                          "were reset)",
                          table.shown()),
        fmt::format("Look at them first, then run `decant rollback {} --force`: the undone table is kept.",
                    table.arguments())};
}

}  // namespace

void check_replaceable(pg::Connection& db, const TableName& table) {
    if (const pg::Result kind = db.query(kind_sql, {table.schema, table.table}); !kind.empty()) {
        throw Error{
            ErrorCode::conflict,
            fmt::format("{} cannot be replaced: it is no ordinary table but a {}", table.shown(), kind.text(0, 0)),
            "Copy into another table with --to NAME."};
    }
    const pg::Result dependants = db.query(dependants_sql, {table.schema, table.table});
    if (dependants.empty()) return;
    std::string list;
    for (int row = 0; row < dependants.rows(); ++row)
        list += fmt::format("{}{}", row > 0 ? ", " : "", dependants.text(row, 0));
    throw Error{ErrorCode::conflict,
                fmt::format("Table {} cannot be replaced: {} depend on it and would stay with the old one",
                            table.shown(), list),
                "Drop or move them first, or copy into another table with --to NAME."};
}

std::string swap_tables(pg::Connection& db, const Swap& swap) {
    const TableName loaded{swap.target.schema, swap.load_table};
    pg::Transaction tx{db, "BEGIN; SET LOCAL lock_timeout = '10s'"};
    db.exec(fmt::format("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", swap.target.quoted(db)));
    RunStore runs{db};
    runs.require_held(swap.run_id, swap.token);
    check_replaceable(db, swap.target);
    take_over_access(db, swap.target, loaded);
    const std::string previous = derived_name(swap.target.table, std::string{old_suffix});
    drop_left_table(db, swap.target, previous);
    if (swap.drop_old)
        db.exec("DROP TABLE " + swap.target.quoted(db));
    else
        rename_table(db, swap.target, previous, std::string{old_suffix});
    rename_table(db, loaded, swap.target.table, "");
    runs.record_swap(swap.run_id, swap.drop_old ? "" : previous);
    tx.commit();
    return swap.drop_old ? "" : previous;
}

void drop_left_table(pg::Connection& db, const TableName& target, const std::string& kept) {
    const TableName name{target.schema, kept};
    if (!table_exists(db, name)) return;
    if (!db.query(is_recorded_sql, {target.schema, target.table, kept}).boolean(0, 0)) {
        throw Error{ErrorCode::conflict,
                    fmt::format("Table {} stands under a name that decant needs for {}, and no run record knows it",
                                name.shown(), target.shown()),
                    "Rename or drop it, then run the same command again."};
    }
    db.exec("DROP TABLE " + name.quoted(db));
}

void drop_kept_tables(pg::Connection& db, const TableName& table) {
    for (const std::string_view suffix : {old_suffix, undone_suffix}) {
        drop_left_table(db, table, derived_name(table.table, std::string{suffix}));
    }
}

RollbackOutcome rollback_table(const std::string& conninfo, const TableName& table, bool force) {
    const auto start = std::chrono::steady_clock::now();
    pg::Connection db = pg::Connection::open(conninfo);
    const TargetLock lock{conninfo, table};
    RunStore runs{db};
    const auto run = runs.is_prepared() ? runs.origin(table.schema, table.table) : std::nullopt;
    if (!run || run->previous_table.empty() || !table_exists(db, {table.schema, run->previous_table})) {
        throw Error{ErrorCode::not_found, fmt::format("No previous table is kept for {}", table.shown()),
                    "Only a table that `decant copy --replace` put in place of another can be rolled back."};
    }
    pg::Transaction tx{db, "BEGIN; SET LOCAL lock_timeout = '10s'"};
    db.exec(fmt::format("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", table.quoted(db)));
    check_unchanged(db, table, run->id, force);
    check_replaceable(db, table);
    const std::string undone = derived_name(table.table, std::string{undone_suffix});
    drop_left_table(db, table, undone);
    rename_table(db, table, undone, std::string{undone_suffix});
    rename_table(db, {table.schema, run->previous_table}, table.table, "");
    runs.undo_swap(*run);
    forget_follows(db, table);
    tx.commit();
    return {.table = table,
            .undone_table = undone,
            .run_id = run->id,
            .seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count()};
}

}  // namespace decant::migrate
