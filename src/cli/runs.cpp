#include "cli/commands.hpp"

#include <fmt/format.h>

#include <boost/json/parse.hpp>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/table.hpp"
#include "core/utf8.hpp"
#include "migrate/run_store.hpp"
#include "store/database_address.hpp"

namespace decant::cli {
namespace {

pg::Connection connect(const Context& context) {
    return pg::Connection::open(store::resolve_database(context.settings).conninfo);
}

json::object json_of(const migrate::Run& run) {
    return {{"run", run.id},
            {"command", run.command},
            {"state", run.state},
            {"phase", run.phase},
            {"table", run.schema + "." + run.table},
            {"source", run.source_path},
            {"tenant", run.tenant},
            {"database", run.database},
            {"collection", run.collection},
            {"collection_id", run.collection_id},
            {"read", run.counts.read},
            {"copied", run.counts.copied},
            {"updated", run.counts.updated},
            {"unchanged", run.counts.unchanged},
            {"rejected", run.counts.rejected},
            {"host", run.host},
            {"pid", run.pid},
            {"started_at", run.started_at},
            {"finished_at", run.finished_at},
            {"digest", run.root}};
}

class RunsList final : public Command {
public:
    RunsList()
        : Command("runs list", "List the newest runs", {"decant runs list", "decant runs list --limit 5 --json"}) {}
    void declare(Options& options) override { options.number("--limit", limit_, "At most so many (default: 20)"); }

    int run(const Context& context) override {
        pg::Connection db = connect(context);
        migrate::RunStore store{db};
        std::vector<migrate::Run> runs;
        if (store.is_prepared()) runs = store.list(limit_.value_or(20));
        if (context.json) {
            json::array out;
            for (const migrate::Run& run : runs)
                out.push_back(json_of(run));
            fmt::print("{}\n", json_text(out));
            return 0;
        }
        using Align = Table::Align;
        Table table{{{"run", Align::right}, {"state"}, {"table"}, {"collection"}, {"read", Align::right}, {"started"}}};
        for (const migrate::Run& run : runs) {
            table.add_row({std::to_string(run.id), run.state, run.schema + "." + run.table, run.collection,
                           std::to_string(run.counts.read), run.started_at});
        }
        fmt::print("{}", table.text());
        return 0;
    }

private:
    std::optional<std::uint64_t> limit_;
};

class RunsShow final : public Command {
public:
    RunsShow() : Command("runs show", "Show one run with its report", {"decant runs show 7"}) {}
    void declare(Options& options) override { options.required_positional("RUN", run_, "Number of the run"); }

    int run(const Context& context) override {
        pg::Connection db = connect(context);
        migrate::RunStore store{db};
        const bool is_number =
            !run_.empty() && run_.size() < 18 && run_.find_first_not_of("0123456789") == std::string::npos;
        const auto found = store.is_prepared() && is_number ? store.find(std::stoll(run_)) : std::nullopt;
        if (!found) {
            throw Error{ErrorCode::not_found, fmt::format("There is no run {} in database '{}'", run_, db.database()),
                        "See them with `decant runs list`."};
        }
        json::object out = json_of(*found);
        if (!found->report.empty()) out["report"] = json::parse(found->report);
        if (context.json) {
            fmt::print("{}\n", json_text(out));
            return 0;
        }
        for (const auto& [key, value] : out) {
            fmt::print("{:<14} {}\n", std::string{key},
                       printable(value.is_string() ? std::string{value.as_string()} : json_text(value)));
        }
        return 0;
    }

private:
    std::string run_;
};

class RunsPrune final : public Command {
public:
    RunsPrune()
        : Command("runs prune", "Remove records of old runs; the newest of every table stays",
                  {"decant runs prune --keep 50"}) {}
    void declare(Options& options) override { options.number("--keep", keep_, "Newest runs to keep (default: 20)"); }

    int run(const Context& context) override {
        pg::Connection db = connect(context);
        migrate::RunStore store{db};
        const std::uint64_t removed = store.is_prepared() ? store.prune(keep_.value_or(20)) : 0;
        if (context.json)
            fmt::print("{}\n", json_text(json::object{{"removed", removed}}));
        else
            fmt::print("Removed {} run records\n", removed);
        return 0;
    }

private:
    std::optional<std::uint64_t> keep_;
};

}  // namespace

Commands make_runs() {
    return commands_of<RunsList, RunsShow, RunsPrune>();
}

}  // namespace decant::cli
