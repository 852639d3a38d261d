#include "operate/detail/foreign_shard.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/error.hpp"
#include "store/sharded_catalog.hpp"

namespace decant::operate::detail {
namespace {

/// libpq's settings that are options of a foreign server.
constexpr std::array<std::string_view, 14> server_options{"host",
                                                          "hostaddr",
                                                          "port",
                                                          "dbname",
                                                          "sslmode",
                                                          "sslrootcert",
                                                          "sslcrl",
                                                          "sslsni",
                                                          "gssencmode",
                                                          "krbsrvname",
                                                          "channel_binding",
                                                          "target_session_attrs",
                                                          "connect_timeout",
                                                          "keepalives_idle"};

/// What a session on a shard begins with. A sequential scan looks cheap to its planner, because it does not count
/// vectors that are stored apart.
constexpr std::string_view session_options =
    "-c hnsw.ef_search={} -c hnsw.iterative_scan=relaxed_order -c enable_seqscan=off -c enable_sort=off -c jit=off";

constexpr std::string_view server_sql = "CREATE SERVER {} FOREIGN DATA WRAPPER postgres_fdw OPTIONS ({})";
constexpr std::string_view mapping_sql = "CREATE USER MAPPING FOR CURRENT_USER SERVER {} OPTIONS ({})";
constexpr std::string_view no_mapping_options_sql = "CREATE USER MAPPING FOR CURRENT_USER SERVER {}";
constexpr std::string_view table_sql =
    "CREATE FOREIGN TABLE {}.{} (id uuid, category_id uuid, subcategory_id uuid, brand_id uuid, price float8, stock "
    "integer, active boolean, featured boolean, on_sale boolean, embedding {}) SERVER {} "
    "OPTIONS (schema_name {}, table_name {})";

constexpr std::string_view quiet_sql = R"sql(
SELECT pg_catalog.set_config(name, value, true)
FROM (VALUES ('log_statement', 'none'), ('log_min_duration_statement', '-1'), ('log_min_duration_sample', '-1'),
             ('log_parameter_max_length', '0'), ('log_parameter_max_length_on_error', '0')) AS quiet (name, value)
WHERE pg_catalog.has_parameter_privilege(name, 'SET'))sql";

constexpr std::string_view secret_sql =
    "SELECT pg_catalog.set_config('decant.shard_server', $1, true), "
    "pg_catalog.set_config('decant.shard_password', $2, true)";
// An error's context would quote the inner statement.
constexpr std::string_view password_sql = R"sql(DO $do$
BEGIN
    EXECUTE pg_catalog.format('ALTER USER MAPPING FOR CURRENT_USER SERVER %I OPTIONS (ADD password %L)',
                              pg_catalog.current_setting('decant.shard_server'),
                              pg_catalog.current_setting('decant.shard_password'));
EXCEPTION WHEN OTHERS THEN
    RAISE EXCEPTION 'the password of server % cannot be set (%)',
        pg_catalog.current_setting('decant.shard_server'), SQLSTATE;
END $do$)sql";
constexpr std::string_view forget_sql = "SELECT pg_catalog.set_config('decant.shard_password', '', true)";

std::string value_or(const pg::Keywords& keywords, const char* key, const char* otherwise) {
    const auto found = keywords.find(key);
    return found == keywords.end() || found->second.empty() ? otherwise : found->second;
}

void add_option(pg::Connection& db, std::string& options, std::string_view name, std::string_view value) {
    options += fmt::format("{}{} {}", options.empty() ? "" : ", ", name, db.quote_literal(value));
}

}  // namespace

ShardServer read_shard_server(const std::string& url, std::size_t number) {
    const bool is_url = url.starts_with("postgresql") || url.starts_with("postgres:");
    const auto keywords = is_url ? pg::parse_conninfo(url) : std::nullopt;
    const auto host = keywords ? keywords->find("host") : pg::Keywords::const_iterator{};
    if (!keywords || host == keywords->end() || host->second.find('@', 1) != std::string::npos ||
        !keywords->contains("dbname")) {
        throw Error{ErrorCode::config_invalid,
                    fmt::format("Server {} of SHARD_SERVERS (--servers) is no URL with a host and a database", number),
                    "Write it as postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with % codes for special characters."};
    }
    for (const auto& [key, value] : *keywords) {
        const bool is_of_user = key == "user" || key == "password";
        if (is_of_user || std::ranges::find(server_options, key) != server_options.end()) continue;
        throw Error{ErrorCode::config_invalid,
                    fmt::format("Server {} of SHARD_SERVERS (--servers) sets {}, which a foreign server does not take",
                                number, key),
                    "Leave it out."};
    }
    return {
        .address = fmt::format("{}:{}/{}", host->second, value_or(*keywords, "port", "5432"), keywords->at("dbname")),
        .conninfo = pg::conninfo_of(*keywords),
        .keywords = *keywords};
}

void keep_out_of_the_log(pg::Connection& db) {
    db.exec(quiet_sql);
}

void make_foreign_shard(pg::Connection& db, const ShardServer& server, const ForeignShard& shard) {
    const std::string name = db.quote_identifier(shard.name);
    std::string options;
    for (const auto& [key, value] : server.keywords)
        if (key != "user" && key != "password") add_option(db, options, key, value);
    if (!server.keywords.contains("port")) add_option(db, options, "port", "5432");
    if (!server.keywords.contains("connect_timeout")) add_option(db, options, "connect_timeout", "3");
    // By it the distance operator is known to be the same on both sides, so that the order is sent along.
    add_option(db, options, "extensions", "vector");
    add_option(db, options, "options", fmt::format(session_options, shard.ef_search));
    add_option(db, options, "async_capable", "true");
    db.exec(fmt::format(server_sql, name, options));

    const std::string user = value_or(server.keywords, "user", "");
    std::string mapping;
    if (!user.empty()) add_option(db, mapping, "user", user);
    db.exec(mapping.empty() ? fmt::format(no_mapping_options_sql, name) : fmt::format(mapping_sql, name, mapping));
    if (const auto password = server.keywords.find("password"); password != server.keywords.end()) {
        db.query(secret_sql, {shard.name, password->second});
        db.exec(password_sql);
        db.exec(forget_sql);
    }
    db.exec(fmt::format(table_sql, store::sharded_schema, name, shard.vector_type, name,
                        db.quote_literal(store::shard_schema), db.quote_literal(shard.remote)));
}

}  // namespace decant::operate::detail
