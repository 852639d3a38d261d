#include "cli/commands.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "cli/confirm.hpp"
#include "core/child_process.hpp"
#include "core/error.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "store/database_address.hpp"
#include "store/local_cluster.hpp"

namespace decant::cli {
namespace {

using store::ClusterAddress;
using store::LocalCluster;

json::object json_of(const ClusterAddress& address) {
    return {{"running", true},
            {"pid", address.pid},
            {"host", "127.0.0.1"},
            {"port", address.port},
            {"socket", address.socket_folder.string()},
            {"user", address.user},
            {"database", address.database},
            {"password_file", address.password_file.string()}};
}

void print_running(const Context& context, const LocalCluster& cluster, const ClusterAddress& address) {
    if (context.json) {
        json::object shown = json_of(address);
        shown["data"] = cluster.place().data().string();
        fmt::print("{}\n", json_text(shown));
        return;
    }
    fmt::print(
        "running    pid {}\n"
        "address    127.0.0.1:{}, password in {}\n"
        "socket     {}\n"
        "database   {}, user {}\n"
        "data       {}\n",
        address.pid, address.port, address.password_file.string(), address.socket_folder.string(), address.database,
        address.user, cluster.place().data().string());
}

void print_stopped(const Context& context) {
    if (context.json) {
        fmt::print("{}\n", json_text(json::object{{"running", false}}));
    } else {
        fmt::print("not running\n");
    }
}

ClusterAddress running_address(const LocalCluster& cluster) {
    if (const auto address = cluster.find()) return *address;
    throw Error{ErrorCode::store_unavailable,
                fmt::format("The embedded server of {} is not running", cluster.place().data().string()),
                "run decant db start"};
}

std::string shell_quoted(const std::string& text) {
    std::string out = "'";
    for (const char c : text)
        out += c == '\'' ? std::string{"'\\''"} : std::string{c};
    return out + "'";
}

class DbStart final : public Command {
public:
    DbStart() : Command("db start", "Start the embedded PostgreSQL of this project", {"decant db start"}) {}

    int run(const Context& context) override {
        if (const std::string named = store::named_server(context.settings); !named.empty()) {
            log::warning("{} names another server: commands use that one, not the embedded one", named);
        }
        LocalCluster cluster = LocalCluster::of(context.settings);
        print_running(context, cluster, cluster.start());
        return 0;
    }
};

class DbStop final : public Command {
public:
    DbStop() : Command("db stop", "Stop it; open transactions are rolled back", {"decant db stop"}) {}

    int run(const Context& context) override {
        const bool was_running = LocalCluster::of(context.settings).stop();
        if (context.json) {
            fmt::print("{}\n", json_text(json::object{{"running", false}, {"was_running", was_running}}));
        } else {
            fmt::print("{}\n", was_running ? "stopped" : "not running");
        }
        return 0;
    }
};

class DbStatus final : public Command {
public:
    DbStatus()
        : Command("db status", "Say whether it runs and where; exit 1 when it does not",
                  {"decant db status", "decant db status --json"}) {}

    int run(const Context& context) override {
        const LocalCluster cluster = LocalCluster::of(context.settings);
        const auto address = cluster.find();
        if (!address) {
            print_stopped(context);
            return 1;
        }
        print_running(context, cluster, *address);
        return 0;
    }
};

class DbEnv final : public Command {
public:
    DbEnv() : Command("db env", "Print libpq's variables for a shell to evaluate", {"eval \"$(decant db env)\""}) {}

    int run(const Context& context) override {
        const ClusterAddress address = running_address(LocalCluster::of(context.settings));
        const std::vector<std::pair<std::string, std::string>> variables{
            {"PGHOST", address.socket_folder.string()},
            {"PGPORT", std::to_string(address.port)},
            {"PGUSER", address.user},
            {"PGDATABASE", address.database},
            {"PGPASSFILE", address.password_file.string()},
        };
        json::object shown;
        for (const auto& [key, value] : variables) {
            if (context.json)
                shown[key] = value;
            else
                fmt::print("export {}={}\n", key, shell_quoted(value));
        }
        if (context.json) fmt::print("{}\n", json_text(shown));
        return 0;
    }
};

class DbPsql final : public Command {
public:
    DbPsql()
        : Command(
              "db psql", "Open psql on it, starting it if needed; SQL may come from stdin",
              {"decant db psql", "decant db psql -c 'SELECT count(*) FROM products'", "decant db psql < query.sql"}) {}

    void declare(Options& options) override {
        options.text("-c,--command", command_, "Run this SQL and end");
        options.text("-f,--file", file_, "Run the SQL of this file and end");
    }

    int run(const Context& context) override {
        LocalCluster cluster = LocalCluster::of(context.settings);
        std::vector<std::string> arguments;
        const bool is_script = command_ || file_ || ::isatty(STDIN_FILENO) == 0;
        if (is_script) arguments = {"-X", "-v", "ON_ERROR_STOP=1"};
        if (command_) arguments.insert(arguments.end(), {"-c", *command_});
        if (file_) arguments.insert(arguments.end(), {"-f", *file_});
        const auto running = cluster.find();
        become_program(cluster.psql(running ? *running : cluster.start(), arguments));
    }

private:
    std::optional<std::string> command_;
    std::optional<std::string> file_;
};

class DbDestroy final : public Command {
public:
    DbDestroy() : Command("db destroy", "Stop it and remove its data for good", {"decant db destroy --yes"}) {}

    void declare(Options& options) override { options.flag("--yes", is_confirmed_, "Do not ask"); }

    int run(const Context& context) override {
        LocalCluster cluster = LocalCluster::of(context.settings);
        const std::string danger =
            fmt::format("db destroy removes every database in {}", cluster.place().data().string());
        if (!is_confirmed_ && !confirm(danger, "decant db destroy")) return 1;
        cluster.destroy();
        fmt::print("{}\n", context.json ? json_text(json::object{{"destroyed", cluster.place().data().string()}})
                                        : fmt::format("removed {}", cluster.place().data().string()));
        return 0;
    }

private:
    bool is_confirmed_ = false;
};

}  // namespace

Commands make_db() {
    return commands_of<DbStart, DbStop, DbStatus, DbEnv, DbPsql, DbDestroy>();
}

}  // namespace decant::cli
