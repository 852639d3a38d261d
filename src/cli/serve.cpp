#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "api/server.hpp"
#include "cli/commands.hpp"
#include "cli/running_server.hpp"
#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/json_members.hpp"
#include "core/log.hpp"
#include "core/log_file.hpp"
#include "core/service_manager.hpp"
#include "net/http_client.hpp"

namespace decant::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto most_end_time = 10s;
constexpr auto most_drain_time = 7s;  // what is cut then, and what is to be written yet, has three seconds to end

/// Ends the process where its threads do not, as with a database whose machine swallows packets: whatever they do is
/// safe to break off. Outlives the server.
class LastResort {
public:
    void begin() {
        thread_ = std::jthread{[](const std::stop_token& stop) {
            std::mutex mutex;
            std::condition_variable_any never;
            std::unique_lock lock{mutex};
            never.wait_for(lock, stop, most_end_time, [] { return false; });
            if (stop.stop_requested()) return;
            log::error("not all of the server ended within {} s: the process ends without it", most_end_time.count());
            std::_Exit(1);
        }};
    }

private:
    std::jthread thread_;
};

class Serve final : public Command {
public:
    Serve()
        : Command("serve", "Answer searches and chat over HTTP, and keep embeddings fresh",
                  {"decant serve", "decant serve --host 0.0.0.0 --port 8080",
                   "decant serve --tls-certificate cert.pem --tls-key key.pem"}) {}
    void declare(Options& options) override {
        options.setting("--host", "DECANT_HOST", "The address to listen on (default: 127.0.0.1)");
        options.setting("--port", "DECANT_PORT", "The port; 0 takes any free one (default: 8000)");
        options.setting("--tls-certificate", "DECANT_TLS_CERTIFICATE", "File (PEM) of the certificate: serves HTTPS");
        options.setting("--tls-key", "DECANT_TLS_KEY", "File (PEM) of its private key");
        options.flag("--no-worker", no_worker_, "Leave embedding to `decant worker`");
        declare_embedder(options);
    }

    int run(const Context& context) override {
        catch_ends();
        catch_hangups();
        LastResort last_resort;
        if (!context.settings.get("LOG_FILE")) open_default_log(context.settings);
        api::Server server{context.settings, {.version = DECANT_VERSION, .runs_worker = !no_worker_}};
        const ServerNotice notice{context.settings, {.url = server.url(), .token = server.local_token()}};
        log::info("listening on {}", server.url());
        fmt::print("{}\n", server.url());
        std::fflush(stdout);
        notify_service_manager("READY=1");
        while (!is_end_asked()) {
            std::this_thread::sleep_for(20ms);
            if (take_hangup()) reload(server);
        }
        notify_service_manager("STOPPING=1");
        last_resort.begin();
        log::info("stopping: requests under way are answered first");
        if (!server.drain(most_drain_time)) log::warning("some requests were cut after {} s", most_drain_time.count());
        return 0;
    }

private:
    /// A folder that cannot be written is no reason not to serve: stderr has all of it.
    static void open_default_log(const Settings& settings) {
        try {
            log::also_write_to("logs/app.log", settings);
        } catch (const Error& error) {
            log::warning("logging to stderr alone: {}", error.happened());
        }
    }

    static void reload(api::Server& server) {
        notify_service_manager("RELOADING=1");
        try {
            const std::vector<std::string> changes = server.reload();
            for (const std::string& change : changes)
                log::info("reloaded: {}", change);
            if (changes.empty()) log::info("reloaded: nothing changed");
        } catch (const Error& error) {
            log::error("not reloaded: {} {}", error.happened(), error.remedy());
        }
        notify_service_manager("READY=1");
    }

    bool no_worker_ = false;
};

class Reload final : public Command {
public:
    Reload()
        : Command("reload", "Have the running server read its settings again, and show what changed",
                  {"decant reload", "decant reload --json"}) {}

    int run(const Context& context) override {
        const auto server = find_running_server(context.settings);
        if (!server) {
            throw Error{ErrorCode::not_found, "No server of this project runs",
                        "Start one with `decant serve`; one that another user started takes a SIGHUP."};
        }
        net::HttpClient client{{.name = "The running decant server",
                                .url = net::parse_url(server->url, "its URL"),
                                .headers = {"Authorization: Bearer " + server->token}}};
        const net::HttpResponse response = client.send({.path = "/api/v1/admin/reload", .body = "", .tries = 1});
        const json::object answer = json::parse(response.body).as_object();
        if (!response.is_ok()) {
            throw Error{ErrorCode::config_invalid,
                        "The server did not take the settings: " + text_member(answer, "detail").value_or(""),
                        "Its log says which."};
        }
        if (context.json) {
            fmt::print("{}\n", json_text(answer));
            return 0;
        }
        const json::array& changes = answer.at("changes").as_array();
        for (const json::value& change : changes)
            fmt::print("{}\n", std::string_view{change.as_string()});
        if (changes.empty()) fmt::print("Nothing changed.\n");
        return 0;
    }
};

}  // namespace

Commands make_serve() {
    return commands_of<Serve, Reload>();
}

}  // namespace decant::cli
