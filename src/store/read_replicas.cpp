#include "store/read_replicas.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "core/error.hpp"
#include "core/split_list.hpp"
#include "pg/conninfo.hpp"

namespace decant::store {
namespace {

/// Searches wait for what these find out; a database that writes may take its time.
constexpr std::array<std::array<const char*, 2>, 5> short_patience{{{"connect_timeout", "2"},
                                                                    {"tcp_user_timeout", "3000"},
                                                                    {"keepalives_idle", "2"},
                                                                    {"keepalives_interval", "1"},
                                                                    {"keepalives_count", "3"}}};

struct Host {
    std::string host;
    std::string port;  ///< empty: as the primary's
};

Error not_a_host(std::string_view text) {
    return {ErrorCode::config_invalid, fmt::format("DB_READ_HOSTS: '{}' is no host:port", text),
            "Write it as DB_READ_HOSTS=replica1:5432,replica2:5432; an IPv6 address in brackets."};
}

bool is_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
    return failed == std::errc{} && end == text.data() + text.size() && port > 0;
}

/// "db2", "db2:5433", "[::1]:5433", "/run/postgresql:5433".
Host parse_host(std::string_view text) {
    Host out;
    std::string_view rest;
    if (text.starts_with('[')) {
        const std::size_t bracket = text.find(']');
        if (bracket == std::string_view::npos) throw not_a_host(text);
        out.host = text.substr(1, bracket - 1);
        rest = text.substr(bracket + 1);
    } else {
        const std::size_t colon = std::min(text.find(':'), text.size());
        out.host = text.substr(0, colon);
        rest = text.substr(colon);
    }
    if (out.host.empty() || (!rest.empty() && !(rest.front() == ':' && is_port(rest.substr(1)))))
        throw not_a_host(text);
    if (!rest.empty()) out.port = rest.substr(1);
    return out;
}

std::string name_of(const Host& host) {
    const bool is_v6 = host.host.find(':') != std::string::npos;
    return fmt::format("{}{}{}{}{}", is_v6 ? "[" : "", host.host, is_v6 ? "]" : "", host.port.empty() ? "" : ":",
                       host.port);
}

}  // namespace

std::vector<ReplicaAddress> read_replicas(const Settings& settings, const DatabaseAddress& primary) {
    const std::string hosts = settings.get("DB_READ_HOSTS").value_or("");
    const pg::Keywords common = pg::parse_conninfo(primary.conninfo).value_or(pg::Keywords{});
    const auto primary_port = common.find("port");
    std::vector<ReplicaAddress> replicas;
    for (const std::string_view text : split_list(hosts)) {
        Host host = parse_host(text);
        if (host.port.empty() && primary_port != common.end()) host.port = primary_port->second;
        pg::Keywords keywords = common;
        keywords["host"] = host.host;
        keywords["hostaddr"] = "";  // not PGHOSTADDR either
        if (!host.port.empty()) keywords["port"] = host.port;
        keywords["target_session_attrs"] = "any";
        for (const auto& [keyword, value] : short_patience)
            keywords.emplace(keyword, value);
        const std::string name = name_of(host);
        if (std::ranges::find(replicas, name, &ReplicaAddress::name) != replicas.end()) {
            throw Error{ErrorCode::config_invalid, fmt::format("DB_READ_HOSTS names {} twice", name),
                        "Keep one of the two."};
        }
        replicas.push_back({.name = name, .conninfo = pg::conninfo_of(keywords)});
    }
    return replicas;
}

}  // namespace decant::store
