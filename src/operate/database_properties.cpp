#include "operate/database_properties.hpp"

#include <fmt/format.h>

#include <string_view>

#include "core/error.hpp"

namespace decant::operate {
namespace {

// PostgreSQL 17 renamed daticulocale.
constexpr std::string_view properties_sql = R"sql(
SELECT d.datname, pg_encoding_to_char(d.encoding),
       CASE d.datlocprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END, d.datcollate, d.datctype,
       coalesce(to_jsonb(d)->>'datlocale', to_jsonb(d)->>'daticulocale', ''), pg_get_userbyid(d.datdba),
       d.datacl IS NOT NULL
FROM pg_catalog.pg_database d WHERE d.datname = current_database())sql";

constexpr std::string_view grants_sql = R"sql(
SELECT CASE a.grantee WHEN 0 THEN '' ELSE pg_get_userbyid(a.grantee) END, a.privilege_type, a.is_grantable
FROM pg_catalog.pg_database d, aclexplode(d.datacl) a WHERE d.datname = current_database() ORDER BY 1, 2)sql";

constexpr std::string_view settings_sql = R"sql(
SELECT CASE s.setrole WHEN 0 THEN '' ELSE pg_get_userbyid(s.setrole) END, split_part(c, '=', 1),
       substr(c, strpos(c, '=') + 1)
FROM pg_catalog.pg_db_role_setting s, unnest(s.setconfig) c
WHERE s.setdatabase = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()) ORDER BY 1, 2)sql";

// pg_shdepend does not name the role that initdb made.
constexpr std::string_view roles_sql = R"sql(
SELECT r.rolname FROM pg_catalog.pg_roles r
WHERE r.oid IN (SELECT refobjid FROM pg_catalog.pg_shdepend
                WHERE refclassid = 'pg_authid'::regclass
                  AND dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
                UNION SELECT relowner FROM pg_catalog.pg_class WHERE oid >= 16384
                UNION SELECT datdba FROM pg_catalog.pg_database WHERE datname = current_database())
ORDER BY 1)sql";

// pg_dump takes what has an oid of initdb's for a part of the server. Embedded servers of decant's first versions have
// such a pgvector.
constexpr std::string_view extensions_sql =
    "SELECT extname FROM pg_catalog.pg_extension WHERE oid < 16384 AND extname <> 'plpgsql' ORDER BY 1";

constexpr std::string_view missing_sql =
    "SELECT name FROM unnest($1::text[]) name WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = name) "
    "ORDER BY 1";

constexpr std::string_view create_sql = R"sql(
SELECT format('CREATE DATABASE %I TEMPLATE template0 ENCODING %L LOCALE_PROVIDER %I LC_COLLATE %L LC_CTYPE %L',
              $1::text, $2::text, $3::text, $4::text, $5::text)
    || CASE $3::text WHEN 'icu' THEN format(' ICU_LOCALE %L', $6::text)
                     WHEN 'builtin' THEN format(' BUILTIN_LOCALE %L', $6::text) ELSE '' END
    || CASE $7::text WHEN '' THEN '' ELSE format(' OWNER %I', $7::text) END)sql";

constexpr std::string_view revoke_sql = "SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', $1::text)";

constexpr std::string_view grant_sql = R"sql(
SELECT format('GRANT %s ON DATABASE %I TO ', p, $1::text) || CASE $2::text WHEN '' THEN 'PUBLIC' ELSE quote_ident($2) END
    || CASE WHEN $4::bool THEN ' WITH GRANT OPTION' ELSE '' END
FROM unnest('{CREATE,TEMPORARY,CONNECT}'::text[]) p WHERE p = $3::text)sql";

// A list of names is kept as it was written, quotes and all, and can only be taken over by SET … FROM CURRENT.
constexpr std::string_view is_list_sql =
    "SELECT $1::text = ANY "
    "('{search_path,temp_tablespaces,session_preload_libraries,local_preload_libraries}'::text[])";

constexpr std::string_view set_sql = R"sql(
SELECT CASE $2::text WHEN '' THEN format('ALTER DATABASE %I SET ', $1::text)
                     ELSE format('ALTER ROLE %I IN DATABASE %I SET ', $2::text, $1::text) END
    || (SELECT string_agg(quote_ident(part), '.') FROM unnest(string_to_array($3::text, '.')) part)
    || CASE WHEN $5::bool THEN ' FROM CURRENT' ELSE format(' TO %L', $4::text) END)sql";

std::string text(const pg::Result& result, int row, int column) {
    return std::string{result.text(row, column)};
}

std::vector<std::string> names(const pg::Result& result) {
    std::vector<std::string> all;
    for (int row = 0; row < result.rows(); ++row)
        all.push_back(text(result, row, 0));
    return all;
}

std::string flag(bool value) {
    return value ? "true" : "false";
}

std::string statement(pg::Connection& db, std::string_view sql, const std::vector<pg::Param>& params) {
    const pg::Result made = db.query(sql, params);
    if (made.empty())
        throw Error{ErrorCode::source_unreadable, "The backup names a privilege that databases do not have",
                    "Take another backup."};
    return text(made, 0, 0);
}

void apply_setting(pg::Connection& db, const DatabaseSetting& setting, const std::string& name) {
    pg::Transaction tx{db};
    const bool is_list = db.query(is_list_sql, {setting.name}).boolean(0, 0);
    if (is_list) db.query("SELECT set_config($1, $2, true)", {setting.name, setting.value});
    db.exec(statement(db, set_sql, {name, setting.role, setting.name, setting.value, flag(is_list)}));
    tx.commit();
}

}  // namespace

DatabaseProperties read_database_properties(pg::Connection& db) {
    const pg::Result row = db.exec(properties_sql);
    DatabaseProperties properties{.name = text(row, 0, 0),
                                  .encoding = text(row, 0, 1),
                                  .provider = text(row, 0, 2),
                                  .collate = text(row, 0, 3),
                                  .ctype = text(row, 0, 4),
                                  .locale = text(row, 0, 5),
                                  .owner = text(row, 0, 6),
                                  .grants = {},
                                  .settings = {},
                                  .roles = {},
                                  .extensions = {}};
    if (row.boolean(0, 7)) {
        const pg::Result grants = db.exec(grants_sql);
        properties.grants.emplace();
        for (int i = 0; i < grants.rows(); ++i)
            properties.grants->push_back({text(grants, i, 0), text(grants, i, 1), grants.boolean(i, 2)});
    }
    const pg::Result settings = db.exec(settings_sql);
    for (int i = 0; i < settings.rows(); ++i)
        properties.settings.push_back({text(settings, i, 0), text(settings, i, 1), text(settings, i, 2)});
    properties.roles = names(db.exec(roles_sql));
    properties.extensions = names(db.exec(extensions_sql));
    return properties;
}

std::vector<std::string> missing_roles(pg::Connection& db, const DatabaseProperties& properties) {
    return names(db.query(missing_sql, {pg::array_literal(properties.roles)}));
}

std::string create_database_sql(pg::Connection& db, const DatabaseProperties& properties, const std::string& name,
                                const std::string& owner) {
    return statement(db, create_sql,
                     {name, properties.encoding, properties.provider, properties.collate, properties.ctype,
                      properties.locale, owner});
}

std::vector<std::string> apply_properties(pg::Connection& db, const DatabaseProperties& properties,
                                          const std::string& name) {
    std::vector<std::string> left_out;
    const auto attempt = [&](const std::string& what, const auto& work) {
        try {
            work();
        } catch (const Error& error) {
            if (error.is_retryable()) throw;
            left_out.push_back(fmt::format("{} was not taken over: {}", what, error.happened()));
        }
    };
    if (properties.grants) attempt("REVOKE ALL FROM PUBLIC", [&] { db.exec(statement(db, revoke_sql, {name})); });
    for (const DatabaseGrant& grant : properties.grants.value_or(std::vector<DatabaseGrant>{})) {
        attempt(fmt::format("GRANT {} to {}", grant.privilege, grant.role.empty() ? "PUBLIC" : grant.role), [&] {
            db.exec(statement(db, grant_sql, {name, grant.role, grant.privilege, flag(grant.is_grantable)}));
        });
    }
    for (const DatabaseSetting& setting : properties.settings)
        attempt(fmt::format("The setting {}", setting.name), [&] { apply_setting(db, setting, name); });
    return left_out;
}

}  // namespace decant::operate
