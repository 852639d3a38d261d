#include <fmt/format.h>
#include <unistd.h>

#include <thread>

#include "cli/commands.hpp"
#include "cli/sync_text.hpp"
#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/json.hpp"
#include "core/table.hpp"
#include "core/utf8.hpp"
#include "store/database_address.hpp"
#include "store/sync_store.hpp"
#include "sync/dux_client.hpp"
#include "sync/dux_sync.hpp"
#include "sync/scheduler.hpp"

namespace decant::cli {
namespace {

std::string conninfo_of(const Context& context) {
    return store::resolve_database(context.settings).conninfo;
}

class SyncDux final : public Command {
public:
    SyncDux()
        : Command("sync dux", "Bring the products of the DUX ERP into the catalog",
                  {"decant sync dux", "decant sync dux --dry-run --max 200", "decant sync dux --full --json"}) {}
    void declare(Options& options) override {
        options.flag("--once", once_, "One run, then end (this is what it does without it)");
        options.flag("--daemon", daemon_, "A run at each hour of DUX_SYNC_HOURS, until it is interrupted");
        options.flag("--full", full_, "Read all items, not only those that changed (version 2 of the API)");
        options.flag("--dry-run", dry_run_, "Count what would be written, and write nothing");
        options.number("--max", max_, "End after about so many items; nothing is deactivated then");
    }

    int run(const Context& context) override {
        catch_interrupts();
        if (daemon_) return keep_in_sync(context);
        const bool shows = isatty(STDERR_FILENO) != 0 && !context.json;
        const sync::DuxRequest request{
            .full = full_, .dry_run = dry_run_, .max = max_, .on_page = [&](const sync::SyncCursor& cursor) {
                if (shows) fmt::print(stderr, "\r{} of {} items", cursor.counts.read, cursor.total);
            }};
        const auto report = sync::sync_dux(context.settings, conninfo_of(context), request);
        if (shows) fmt::print(stderr, "\n");
        print_sync(*report, context.json);
        return exit_code_of(*report);
    }

private:
    int keep_in_sync(const Context& context) const {
        if (once_ || dry_run_ || max_) {
            throw Error{ErrorCode::request_invalid, "--daemon goes with none of --once, --dry-run and --max",
                        "Leave one of them out."};
        }
        sync::DuxSetup::from(context.settings);  // what is missing is told before the first hour comes
        const std::string conninfo = conninfo_of(context);
        sync::Scheduler scheduler{{.conninfo = conninfo,
                                   .schedule = sync::read_schedule(context.settings),
                                   .sync = [&](const sync::Scheduler::Wanted& wanted, const std::stop_token& stop) {
                                       const auto report = sync::sync_dux(context.settings, conninfo,
                                                                          {.full = full_, .due_at = wanted.due}, stop);
                                       if (report) print_sync(*report, context.json);
                                       std::fflush(stdout);
                                   }}};
        std::jthread hours{[&](const std::stop_token& stop) { scheduler.run(stop); }};
        while (sleep_unless_interrupted(std::chrono::hours{1})) {
        }
        return 0;
    }

    bool once_ = false;
    bool daemon_ = false;
    bool full_ = false;
    bool dry_run_ = false;
    std::optional<std::uint64_t> max_;
};

void print_runs(const std::vector<store::SyncRun>& runs) {
    using Align = Table::Align;
    Table table{{{"run", Align::right},
                 {"source"},
                 {"scope"},
                 {"state"},
                 {"read", Align::right},
                 {"created", Align::right},
                 {"updated", Align::right},
                 {"deactivated", Align::right},
                 {"quarantined", Align::right},
                 {"started"}}};
    for (const store::SyncRun& run : runs) {
        const json::object shown = store::json_of(run);
        const auto count = [&](std::string_view name) { return json_text(shown.at(name)); };
        table.add_row({std::to_string(run.id), run.source, run.scope, run.state, count("read"), count("created"),
                       count("updated"), count("deactivated"), count("quarantined"), run.started_at});
    }
    fmt::print("{}", table.text());
}

int show_runs(const Context& context, std::size_t limit) {
    pg::Connection db = pg::Connection::open(conninfo_of(context));
    const std::vector<store::SyncRun> runs = store::SyncStore{db}.runs(limit);
    if (!context.json) {
        print_runs(runs);
        return 0;
    }
    json::array out;
    for (const store::SyncRun& run : runs)
        out.push_back(store::json_of(run));
    fmt::print("{}\n", json_text(out));
    return 0;
}

class SyncStatus final : public Command {
public:
    SyncStatus()
        : Command("sync status", "Show the newest run of a sync, or the one under way", {"decant sync status"}) {}
    int run(const Context& context) override { return show_runs(context, 1); }
};

class SyncHistory final : public Command {
public:
    SyncHistory()
        : Command("sync history", "List the runs of syncs, the newest first",
                  {"decant sync history", "decant sync history --limit 5 --json"}) {}
    void declare(Options& options) override { options.number("--limit", limit_, "At most so many (default: 20)"); }
    int run(const Context& context) override { return show_runs(context, limit_.value_or(20)); }

private:
    std::optional<std::uint64_t> limit_;
};

class SyncQuarantine final : public Command {
public:
    SyncQuarantine()
        : Command("sync quarantine", "List the items of a run that could not be had, and why",
                  {"decant sync quarantine", "decant sync quarantine --run 7 --json"}) {}
    void declare(Options& options) override {
        options.number("--run", run_, "Of this run (default: the newest)");
        options.number("--limit", limit_, "At most so many (default: 50)");
    }

    int run(const Context& context) override {
        pg::Connection db = pg::Connection::open(conninfo_of(context));
        const auto run = run_ ? std::optional{static_cast<std::int64_t>(*run_)} : std::nullopt;
        const json::array items = store::SyncStore{db}.quarantine(run, limit_.value_or(50));
        if (context.json) {
            fmt::print("{}\n", json_text(items));
            return 0;
        }
        Table table{{{"run", Table::Align::right}, {"sku"}, {"offset", Table::Align::right}, {"reason"}}};
        for (const json::value& item : items) {
            const json::value& sku = item.at("sku");
            table.add_row({json_text(item.at("run")), sku.is_null() ? "-" : printable(sku.as_string()),
                           json_text(item.at("page_offset")), printable(item.at("reason").as_string())});
        }
        fmt::print("{}", table.text());
        return 0;
    }

private:
    std::optional<std::uint64_t> run_;
    std::optional<std::uint64_t> limit_;
};

class SyncCancel final : public Command {
public:
    SyncCancel() : Command("sync cancel", "Have the running sync end after its page", {"decant sync cancel"}) {}
    int run(const Context& context) override {
        pg::Connection db = pg::Connection::open(conninfo_of(context));
        const bool is_asked = store::SyncStore{db}.ask_cancel();
        if (context.json)
            fmt::print("{}\n", json_text(json::object{{"asked", is_asked}}));
        else
            fmt::print("{}\n", is_asked ? "It ends after the page that it is at." : "No sync is running.");
        return 0;
    }
};

}  // namespace

Commands make_sync() {
    return commands_of<SyncDux, SyncStatus, SyncHistory, SyncQuarantine, SyncCancel>();
}

}  // namespace decant::cli
