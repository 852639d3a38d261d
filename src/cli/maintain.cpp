#include "operate/maintenance.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/retention.hpp"
#include "cli/commands.hpp"
#include "cli/judged_options.hpp"
#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/json_members.hpp"
#include "core/log.hpp"
#include "core/table.hpp"
#include "core/utf8.hpp"
#include "embed/open_embedder.hpp"
#include "operate/maintenance_runs.hpp"
#include "quality/monitor.hpp"
#include "store/catalog_state.hpp"
#include "store/database_address.hpp"
#include "work/catalog_model.hpp"

namespace decant::cli {
namespace {

using operate::UpkeepState;
using operate::UpkeepTask;
using store::QualityProbe;

constexpr auto right = Table::Align::right;
constexpr int quality_migration = 10;
constexpr int maintenance_migration = 12;

std::string conninfo_of(const Context& context) {
    return store::resolve_database(context.settings).conninfo;
}

void require_tables(pg::Connection& db) {
    for (const store::MissingObject& object : store::read_catalog_state(db).missing) {
        if (object.version != quality_migration && object.version != maintenance_migration) continue;
        throw Error{ErrorCode::not_found, fmt::format("There is no {} in database '{}'", object.name, db.database()),
                    "Make it: `decant schema up`."};
    }
}

class Maintain final : public Command {
public:
    Maintain()
        : Command("maintain",
                  "Do what is due: invalid indexes, old rows, vacuum, statistics, view, index; exit 1 when "
                  "something failed",
                  {"decant maintain --dry-run", "decant maintain --json"}) {}
    void declare(Options& options) override { options.flag("--dry-run", is_dry_, "Only tell what is due"); }

    int run(const Context& context) override {
        catch_interrupts();
        const operate::MaintenanceSetup setup{
            .conninfo = conninfo_of(context),
            .model = embed::chosen_embedder(context.settings).model,
            .retained = api::retained_by(context.settings),
            .note = [](const std::string& line) { log::info("{}", printable(line)); }};
        const std::vector<UpkeepTask> tasks = is_dry_ ? plan(setup) : perform(setup);
        if (context.json)
            fmt::print("{}\n", json_text(json::object{{"dry_run", is_dry_}, {"tasks", json_of(tasks)}}));
        else
            print_text(tasks);
        if (interrupted()) {
            throw Error{ErrorCode::cancelled, "Interrupted: what is not done is due still",
                        "Go on with: decant maintain"};
        }
        return std::ranges::any_of(tasks, [](const UpkeepTask& task) { return task.state == UpkeepState::failed; });
    }

private:
    static std::vector<UpkeepTask> plan(const operate::MaintenanceSetup& setup) {
        pg::Connection db = pg::Connection::open(setup.conninfo);
        require_tables(db);
        return operate::plan_maintenance(db, setup);
    }

    static std::vector<UpkeepTask> perform(const operate::MaintenanceSetup& setup) {
        const operate::OperationLock lock{setup.conninfo, "maintain"};
        pg::Connection db = pg::Connection::open(setup.conninfo);
        require_tables(db);
        const auto run = operate::begin_maintenance_run(db, std::nullopt);
        std::vector<UpkeepTask> tasks;
        try {
            tasks = operate::run_maintenance(setup, lock);
        } catch (const Error& error) {
            operate::fail_maintenance_run(db, run.value(), error);
            throw;
        }
        operate::end_maintenance_run(db, run.value(), json_of(tasks));
        return tasks;
    }

    static void print_text(const std::vector<UpkeepTask>& tasks) {
        if (tasks.empty()) {
            fmt::print("Nothing is due.\n");
            return;
        }
        Table table{{{"task"}, {"of"}, {"state"}, {"seconds", right}, {"why"}, {"outcome"}}};
        for (const UpkeepTask& task : tasks) {
            table.add_row({std::string{operate::upkeep_names[task.kind]}, task.object,
                           std::string{operate::upkeep_state_names[task.state]},
                           task.state == UpkeepState::due ? "" : fmt::format("{:.1f}", task.seconds), task.reason,
                           task.outcome});
        }
        fmt::print("{}", table.text());
    }

    bool is_dry_ = false;
};

/// The newest measurement against the ones before it.
quality::QualityMetric metric_of(const std::vector<QualityProbe>& probes) {
    quality::QualityMetric metric{.name = "index_recall", .target = quality::least_index_recall};
    double sum = 0;
    double earlier = 0;
    for (const QualityProbe& probe : probes) {
        if (!probe.recall) continue;
        if (!metric.value) {
            metric.value = probe.recall;
            continue;
        }
        sum += *probe.recall;
        ++earlier;
    }
    if (earlier > 0) metric.before = sum / earlier;
    return metric;
}

class MaintainRecall final : public Command {
public:
    MaintainRecall()
        : Command("maintain recall",
                  "Measure the index's recall now and show how it went; exit 1 when it is under the target",
                  {"decant maintain recall", "decant maintain recall --limit 100 --json"}) {}
    void declare(Options& options) override {
        options.number("--limit", limit_, "So many of the newest measurements (default: 20)");
    }

    int run(const Context& context) override {
        catch_interrupts();
        const std::uint64_t limit = in_range({.option = "--limit", .low = 1, .high = 100'000, .unset = 20}, limit_);
        pg::Connection db = pg::Connection::open(conninfo_of(context));
        require_tables(db);
        quality::probe_if_due(db, {.model = work::catalog_choice(context.settings, db).model,
                                   .least_age_seconds = 0,
                                   .queries = 100,
                                   .may_go_on = [] { return !interrupted(); }});
        const std::vector<QualityProbe> probes = store::read_probes(db, limit);
        const quality::QualityMetric metric = metric_of(probes);
        if (context.json)
            print_json(probes, metric);
        else
            print_text(probes, metric);
        return metric.state() == quality::TargetState::missed ? 1 : 0;
    }

private:
    static void print_json(const std::vector<QualityProbe>& probes, const quality::QualityMetric& metric) {
        json::array history;
        for (const QualityProbe& probe : probes) {
            history.push_back(json::object{{"measured_at", probe.measured_at},
                                           {"recall", or_null(probe.recall)},
                                           {"queries", probe.queries},
                                           {"products", probe.products},
                                           {"milliseconds", probe.milliseconds}});
        }
        fmt::print("{}\n", json_text(json::object{{"recall", or_null(metric.value)},
                                                  {"target", or_null(metric.target)},
                                                  {"state", quality::target_state_names[metric.state()]},
                                                  {"before", or_null(metric.before)},
                                                  {"trend", quality::trend_names[metric.trend()]},
                                                  {"history", std::move(history)}}));
    }

    static void print_text(const std::vector<QualityProbe>& probes, const quality::QualityMetric& metric) {
        const auto shown = [](const std::optional<double>& value) {
            return value ? fmt::format("{:.4f}", *value) : std::string{"-"};
        };
        Table table{{{"measured (UTC)"}, {"recall", right}, {"queries", right}, {"products", right}, {"ms", right}}};
        for (const QualityProbe& probe : probes) {
            table.add_row({probe.measured_at, shown(probe.recall), std::to_string(probe.queries),
                           std::to_string(probe.products), fmt::format("{:.0f}", probe.milliseconds)});
        }
        fmt::print("recall@10 {} (target {}): {}; before {}, trend {}\n\n{}", shown(metric.value),
                   quality::least_index_recall, quality::target_state_names[metric.state()], shown(metric.before),
                   quality::trend_names[metric.trend()], table.text());
        if (metric.state() == quality::TargetState::missed)
            fmt::print("\n`decant reindex` builds the index anew; `decant maintain` does when it is due.\n");
    }

    std::optional<std::uint64_t> limit_;
};

}  // namespace

Commands make_maintain() {
    return commands_of<Maintain, MaintainRecall>();
}

}  // namespace decant::cli
