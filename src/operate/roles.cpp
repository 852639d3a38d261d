#include "operate/roles.hpp"

#include <fmt/format.h>

#include <string_view>

#include "core/error.hpp"

namespace decant::operate {
namespace {

constexpr std::string_view has_schema_sql =
    "SELECT to_regclass('products') IS NOT NULL AND to_regclass('decant.schema_migrations') IS NOT NULL";

constexpr std::string_view superuser_sql =
    "SELECT rolname FROM pg_catalog.pg_roles WHERE rolname IN ($1, $2, $3) AND rolsuper ORDER BY 1";

// One statement a row, in order. Only what is not yet so, where saying it takes more rights than the owner has.
constexpr std::string_view plan_sql = R"sql(
WITH who AS (SELECT quote_ident($1::text) AS owner, quote_ident($2::text) AS app, quote_ident($3::text) AS reader,
                    quote_ident(current_database()) AS db),
place AS (SELECT n.oid, quote_ident(n.nspname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE c.oid = to_regclass('products')),
extension_place AS (SELECT DISTINCT quote_ident(n.nspname) AS name
                    FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
                    WHERE e.extname IN ('vector', 'pg_trgm') AND n.oid <> (SELECT oid FROM place)
                      AND n.nspname <> 'pg_catalog'),
relation AS (
    SELECT c.oid, c.relname AS plain, n.nspname = 'decant' AS is_ours, c.relkind, c.relowner AS owner,
           format('%I.%I', n.nspname, c.relname) AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE (n.nspname = 'decant' AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
           OR n.oid = (SELECT oid FROM place)
              AND c.relname IN ('products', 'brands', 'categories', 'subcategories', 'product_embedding_stats'))
      -- A sequence of a column is its table's.
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                      AND (d.deptype = 'e' OR c.relkind = 'S' AND d.deptype IN ('a', 'i')))),
routine AS (
    SELECT p.oid, p.proowner AS owner, p.oid::regprocedure::text AS name
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE (n.nspname = 'decant' OR n.oid = (SELECT oid FROM place)
           AND (p.proname LIKE 'decant\_%' OR p.proname IN ('product_similarity', 'find_similar_products',
                                                            'update_embedding_version', 'refresh_embedding_stats')))
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                      AND d.deptype = 'e')),
owned AS (
    SELECT 1 AS kind, owner, format('%s %s', CASE relkind WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'v' THEN 'VIEW'
                                                          WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, name) AS what
    FROM relation
    UNION ALL SELECT 2, owner, 'FUNCTION ' || name FROM routine
    UNION ALL SELECT 0, nspowner, 'SCHEMA decant' FROM pg_namespace WHERE nspname = 'decant'),
former AS (
    SELECT DISTINCT r.rolname FROM pg_roles r
    WHERE (r.oid IN (SELECT owner FROM owned) OR r.rolname = current_user) AND NOT r.rolsuper AND r.rolname <> $1
      AND NOT EXISTS (SELECT FROM pg_auth_members m JOIN pg_roles o ON o.oid = m.roleid
                      WHERE o.rolname = $1 AND m.member = r.oid)),
made AS (SELECT n.place, n.name FROM (VALUES (1, $1::text), (2, $2::text), (3, $3::text)) n (place, name)
         WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = n.name)),
wanted (role, name, value, stored) AS (
    SELECT role, 'search_path', path, path
    FROM unnest(ARRAY[$1::text, $2::text, $3::text]) role,
         (SELECT concat_ws(', ', (SELECT name FROM place), (SELECT string_agg(name, ', ' ORDER BY name)
                                                            FROM extension_place))) p (path)
    UNION ALL VALUES ($3::text, 'default_transaction_read_only', 'on', 'on'),
                     ($3::text, 'statement_timeout', '''10s''', '10s')),
plan (step, detail, sql) AS (
    SELECT 1, made.place::text,
           format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS', made.name)
    FROM made
    UNION ALL SELECT 2, rolname, format('GRANT %s TO %I', who.owner, rolname) FROM former, who
    UNION ALL SELECT 3, '', format('GRANT CONNECT ON DATABASE %s TO %s, %s, %s', db, owner, app, reader) FROM who
    UNION ALL SELECT 3, '1', format('GRANT CREATE, TEMPORARY ON DATABASE %s TO %s', db, owner) FROM who
    UNION ALL SELECT 3, '2', format('GRANT TEMPORARY ON DATABASE %s TO %s', db, app) FROM who
    UNION ALL SELECT 4, '', format('GRANT USAGE, CREATE ON SCHEMA %s TO %s', place.name, owner) FROM who, place
    UNION ALL SELECT 4, '1', format('REVOKE CREATE ON SCHEMA %s FROM %s, %s', place.name, app, reader) FROM who, place
    UNION ALL SELECT 4, '2', format('GRANT USAGE ON SCHEMA %s TO %s, %s', place.name, app, reader) FROM who, place
    UNION ALL SELECT 4, e.name, format('GRANT USAGE ON SCHEMA %s TO %s, %s, %s', e.name, owner, app, reader)
    FROM who, extension_place e
    UNION ALL SELECT 5, kind || what, format('ALTER %s OWNER TO %s', what, who.owner)
    FROM owned, who WHERE pg_get_userbyid(owned.owner) <> $1
    UNION ALL SELECT 6, '', format('REVOKE ALL ON SCHEMA decant FROM %s, %s', app, reader) FROM who
    UNION ALL SELECT 6, '1', format('GRANT USAGE ON SCHEMA decant TO %s, %s', app, reader) FROM who
    UNION ALL SELECT 7, name, format('REVOKE ALL ON %s FROM %s, %s', name, app, reader)
    FROM relation, who WHERE relkind <> 'S'
    UNION ALL SELECT 8, name, format('GRANT %s ON %s TO %s',
        CASE WHEN is_ours AND plain = 'api_keys' THEN 'SELECT, UPDATE (last_used_at)'
             WHEN is_ours AND plain = 'schema_migrations' OR relkind IN ('v', 'm') THEN 'SELECT'
             ELSE 'SELECT, INSERT, UPDATE, DELETE' END, name, app)
    FROM relation, who WHERE relkind <> 'S'
    UNION ALL SELECT 8, '~', format('GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA decant TO %s', app) FROM who
    UNION ALL SELECT 9, name, format('GRANT MAINTAIN ON %s TO %s', name, app)
    FROM relation, who WHERE relkind = 'm' AND current_setting('server_version_num')::int >= 170000
    UNION ALL SELECT 10, name, format('GRANT SELECT ON %s TO %s', name, reader)
    FROM relation, who WHERE NOT is_ours OR plain IN ('product_words', 'synonyms', 'embedding_models')
    UNION ALL SELECT 11, '', format('ALTER DEFAULT PRIVILEGES FOR ROLE %s IN SCHEMA decant '
                                    'GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO %s', owner, app) FROM who
    UNION ALL SELECT 11, '1', format('ALTER DEFAULT PRIVILEGES FOR ROLE %s IN SCHEMA decant '
                                     'GRANT USAGE, SELECT ON SEQUENCES TO %s', owner, app) FROM who
    UNION ALL SELECT 12, w.role || w.name,
           format('ALTER ROLE %I IN DATABASE %s SET %s = %s', w.role, who.db, w.name, w.value)
    FROM who, wanted w
    WHERE NOT EXISTS (SELECT FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole
                      JOIN pg_database d ON d.oid = s.setdatabase
                      WHERE r.rolname = w.role AND d.datname = current_database()
                        AND w.name || '=' || w.stored = ANY (s.setconfig)))
SELECT sql FROM plan ORDER BY step, detail COLLATE "C")sql";

}  // namespace

RoleNames role_names(const std::string& prefix) {
    return {.owner = prefix + "_owner", .application = prefix + "_app", .reader = prefix + "_reader"};
}

std::vector<std::string> plan_roles(pg::Connection& db, const RoleNames& names) {
    if (!db.exec(has_schema_sql).boolean(0, 0)) {
        throw Error{ErrorCode::not_found, fmt::format("Database '{}' has no catalog of decant", db.database()),
                    "Make it first: decant schema up."};
    }
    const std::vector<pg::Param> roles{names.owner, names.application, names.reader};
    if (const pg::Result super = db.query(superuser_sql, roles); !super.empty()) {
        throw Error{ErrorCode::conflict,
                    fmt::format("Role '{}' is a superuser, whom no grant limits", super.text(0, 0)),
                    "Take that from it (ALTER ROLE … NOSUPERUSER), or choose other names with --prefix."};
    }
    const pg::Result plan = db.query(plan_sql, roles);
    std::vector<std::string> statements;
    for (int row = 0; row < plan.rows(); ++row)
        statements.emplace_back(plan.text(row, 0));
    return statements;
}

void apply_roles(pg::Connection& db, const std::vector<std::string>& statements) {
    pg::Transaction tx{db, "BEGIN; SET LOCAL lock_timeout = '2s'"};
    for (const std::string& statement : statements)
        db.exec(statement);
    tx.commit();
}

}  // namespace decant::operate
