#include "store/database_address.hpp"

#include <array>
#include <cstdlib>
#include <string_view>

#include "core/error.hpp"
#include "pg/conninfo.hpp"
#include "store/local_cluster.hpp"

namespace decant::store {
namespace {

constexpr std::array libpq_servers{"PGHOST", "PGHOSTADDR", "PGSERVICE"};

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string{} : std::string{value};
}

/// `name` is the option's or the setting's.
pg::Keywords checked_keywords(const std::string& url, const std::string& name) {
    const auto keywords = pg::parse_conninfo(url);
    // libpq ends the password at the first @: the rest of one with a bare @ would be shown as the host's name.
    const auto host = keywords ? keywords->find("host") : pg::Keywords::const_iterator{};
    const bool has_bare_at = keywords && host != keywords->end() && host->second.find('@', 1) != std::string::npos;
    if (!keywords || has_bare_at) {
        throw Error{
            ErrorCode::config_invalid, name + " is neither a PostgreSQL URL nor key=value pairs of libpq",
            "write it as postgresql://USER@HOST:PORT/DATABASE, with % codes for special characters in a password"};
    }
    return *keywords;
}

DatabaseAddress from_url(const std::string& url, SettingOrigin origin) {
    const pg::Keywords keywords = checked_keywords(url, origin == SettingOrigin::flag ? "--db" : "DATABASE_URL");
    return {.conninfo = pg::conninfo_of(keywords), .shown = pg::shown_address(keywords), .is_embedded = false};
}

DatabaseAddress from_parts(const Settings& settings) {
    constexpr std::array<std::array<const char*, 2>, 5> keys{{{"host", "DB_HOST"},
                                                              {"port", "DB_PORT"},
                                                              {"dbname", "DB_NAME"},
                                                              {"user", "DB_USER"},
                                                              {"password", "DB_PASSWORD"}}};
    pg::Keywords keywords;
    for (const auto& [keyword, key] : keys) {
        if (const auto value = settings.get(key)) keywords.emplace(keyword, *value);
    }
    return {.conninfo = pg::conninfo_of(keywords), .shown = pg::shown_address(keywords), .is_embedded = false};
}

/// libpq fills in the rest by its own rules.
DatabaseAddress from_libpq() {
    pg::Keywords shown;
    constexpr std::array<std::array<const char*, 2>, 5> keys{{{"host", "PGHOST"},
                                                              {"hostaddr", "PGHOSTADDR"},
                                                              {"port", "PGPORT"},
                                                              {"user", "PGUSER"},
                                                              {"dbname", "PGDATABASE"}}};
    for (const auto& [keyword, key] : keys) {
        if (const std::string value = variable(key); !value.empty()) shown.emplace(keyword, value);
    }
    if (const std::string service = variable("PGSERVICE"); !service.empty()) {
        return {.conninfo = "", .shown = "service " + service, .is_embedded = false};
    }
    return {.conninfo = "", .shown = pg::shown_address(shown), .is_embedded = false};
}

}  // namespace

std::string checked_conninfo(const std::string& text, const std::string& name) {
    return pg::conninfo_of(checked_keywords(text, name));
}

std::string named_server(const Settings& settings) {
    if (settings.origin("DATABASE_URL") == SettingOrigin::flag) return "--db";
    for (const char* key : {"DATABASE_URL", "DB_HOST"}) {
        if (settings.get(key)) return key;
    }
    for (const char* key : libpq_servers) {
        if (!variable(key).empty()) return key;
    }
    return {};
}

DatabaseAddress resolve_database(const Settings& settings) {
    const std::string named = named_server(settings);
    if (const auto url = settings.get("DATABASE_URL")) return from_url(*url, settings.origin("DATABASE_URL"));
    if (named == "DB_HOST") return from_parts(settings);
    if (!named.empty()) return from_libpq();
    LocalCluster cluster = LocalCluster::of(settings);
    const auto running = cluster.find();
    const ClusterAddress address = running ? *running : cluster.start();
    return {.conninfo = address.conninfo(), .shown = address.conninfo(), .is_embedded = true};
}

}  // namespace decant::store
