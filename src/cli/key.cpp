#include "cli/commands.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>

#include "api/scope.hpp"
#include "core/error.hpp"
#include "core/json.hpp"
#include "core/split_list.hpp"
#include "core/table.hpp"
#include "core/utf8.hpp"
#include "store/api_keys.hpp"
#include "store/database_address.hpp"

namespace decant::cli {
namespace {

using store::ApiKeyRow;

constexpr std::string_view all_scopes = "all";

pg::Connection connect(const Context& context) {
    return pg::Connection::open(store::resolve_database(context.settings).conninfo);
}

std::string time_text(std::optional<std::int64_t> seconds, std::string_view none) {
    return seconds ? fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::gmtime(*seconds)) : std::string{none};
}

json::value json_time(std::optional<std::int64_t> seconds) {
    return seconds ? json::value(fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(*seconds))) : json::value(nullptr);
}

std::string_view state_of(const ApiKeyRow& key) {
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch());
    if (key.revoked_at) return "revoked";
    return key.expires_at && *key.expires_at <= now.count() ? "expired" : "valid";
}

json::object json_of(const ApiKeyRow& key) {
    return {{"name", key.name},
            {"scopes", json::array(key.scopes.begin(), key.scopes.end())},
            {"state", state_of(key)},
            {"created_at", json_time(key.created_at)},
            {"expires_at", json_time(key.expires_at)},
            {"revoked_at", json_time(key.revoked_at)},
            {"last_used_at", json_time(key.last_used_at)}};
}

/// In the order of the scopes, each once.
std::vector<std::string> scopes_of(const std::vector<std::string>& given) {
    std::vector<std::string_view> names;
    for (const std::string& list : given)
        std::ranges::copy(split_list(list), std::back_inserter(names));
    api::ScopeSet wanted;
    for (const std::string_view name : names) {
        const bool is_scope = name == all_scopes || !api::ScopeSet::of(std::vector{name}).empty();
        if (!is_scope) {
            throw Error{ErrorCode::request_invalid, fmt::format("'{}' is no scope", printable(name)),
                        "Choose of search, embed, chat, admin and metrics, or all."};
        }
        for (const std::string_view scope : api::scope_names.names) {
            if (name == scope || name == all_scopes) wanted.add(*api::scope_names.find(scope));
        }
    }
    if (wanted.empty()) {
        throw Error{ErrorCode::request_malformed, "--scope is missing",
                    "Say what the key is for, as in: --scope search,chat. No scope holds another."};
    }
    std::vector<std::string> scopes;
    for (const std::string_view scope : api::scope_names.names) {
        if (scope != api::scope_names[api::Scope::open] && wanted.has(*api::scope_names.find(scope)))
            scopes.emplace_back(scope);
    }
    return scopes;
}

class KeyCreate final : public Command {
public:
    KeyCreate()
        : Command("key create", "Make a key for the HTTP API; it is shown this once",
                  {"decant key create --name shop --scope search,chat",
                   "decant key create --name ci --scope all --expires-days 30 --json"}) {}
    void declare(Options& options) override {
        options.text("--name", name_, "What logs call it: letters, digits, points, hyphens and underscores");
        options.texts("--scope", scopes_, "What it is for, with commas: search, embed, chat, admin, metrics, or all");
        options.number("--expires-days", days_, "Days until it expires (default: it does not)");
    }

    int run(const Context& context) override {
        if (name_.empty()) {
            throw Error{ErrorCode::request_malformed, "--name is missing", "Name the key, as in: --name shop."};
        }
        const std::vector<std::string> scopes = scopes_of(scopes_);
        pg::Connection db = connect(context);
        const auto [key, row] = store::ApiKeys{db}.create({.name = name_, .scopes = scopes, .days = days_});
        if (context.json) {
            json::object out = json_of(row);
            out["key"] = key;
            fmt::print("{}\n", json_text(out));
            return 0;
        }
        fmt::print("key      {}\nname     {}\nscopes   {}\nexpires  {}\n", key, row.name, fmt::join(row.scopes, ", "),
                   time_text(row.expires_at, "never"));
        fmt::print("Keep the key now: only its digest is stored, and it is not shown again.\n");
        return 0;
    }

private:
    std::string name_;
    std::vector<std::string> scopes_;
    std::optional<std::uint64_t> days_;
};

class KeyList final : public Command {
public:
    KeyList() : Command("key list", "List the keys of the HTTP API", {"decant key list", "decant key list --json"}) {}

    int run(const Context& context) override {
        pg::Connection db = connect(context);
        const std::vector<ApiKeyRow> keys = store::ApiKeys{db}.list();
        if (context.json) {
            json::array out;
            for (const ApiKeyRow& key : keys)
                out.push_back(json_of(key));
            fmt::print("{}\n", json_text(json::object{{"keys", std::move(out)}}));
            return 0;
        }
        Table table{{{"name"}, {"state"}, {"scopes"}, {"created (UTC)"}, {"expires (UTC)"}, {"last used (UTC)"}}};
        for (const ApiKeyRow& key : keys) {
            table.add_row({key.name, std::string{state_of(key)}, fmt::format("{}", fmt::join(key.scopes, ", ")),
                           time_text(key.created_at, ""), time_text(key.expires_at, "never"),
                           time_text(key.last_used_at, "never")});
        }
        fmt::print("{}", table.text());
        return 0;
    }
};

class KeyRevoke final : public Command {
public:
    KeyRevoke()
        : Command("key revoke", "Make a key of the HTTP API worthless, within seconds and for good",
                  {"decant key revoke shop"}) {}
    void declare(Options& options) override {
        options.required_positional("NAME", name_, "Name of the key, of `decant key list`");
    }

    int run(const Context& context) override {
        pg::Connection db = connect(context);
        const ApiKeyRow key = store::ApiKeys{db}.revoke(name_);
        if (context.json)
            fmt::print("{}\n", json_text(json_of(key)));
        else
            fmt::print("revoked    {} ({})\n", key.name, time_text(key.revoked_at, ""));
        return 0;
    }

private:
    std::string name_;
};

}  // namespace

Commands make_key() {
    return commands_of<KeyCreate, KeyList, KeyRevoke>();
}

}  // namespace decant::cli
