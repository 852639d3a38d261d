#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "cli/commands.hpp"
#include "cli/judged_options.hpp"
#include "core/error.hpp"
#include "core/json.hpp"
#include "core/table.hpp"
#include "core/utf8.hpp"
#include "quality/experiment.hpp"
#include "quality/experiment_report.hpp"
#include "search/chroma_search.hpp"
#include "store/database_address.hpp"
#include "store/experiment_store.hpp"

namespace decant::cli {
namespace {

using store::Experiment;
using store::ExperimentStore;

pg::Connection connect(const Context& context) {
    return pg::Connection::open(store::resolve_database(context.settings).conninfo);
}

Error malformed(const std::string& happened, const std::string& remedy) {
    return {ErrorCode::request_malformed, happened, remedy};
}

void print(const Context& context, const Experiment& experiment) {
    if (context.json) {
        fmt::print("{}\n", json_text(quality::json_of(experiment)));
        return;
    }
    std::string arms;
    for (const store::Arm& arm : experiment.arms)
        arms += fmt::format("{}{} {}", arms.empty() ? "" : ", ", arm.strategy, arm.weight);
    fmt::print("{}  {}: {} ({} by {}), decided by {}\n", experiment.is_running() ? "running" : "stopped",
               experiment.name, arms, store::mode_names[experiment.mode], store::unit_names[experiment.unit],
               experiment.metric);
}

class AbStart final : public Command {
public:
    AbStart()
        : Command("ab start", "Compare strategies on the traffic of `decant serve`; what a request names goes before",
                  {"decant ab start summer --arms pgvector_primary:50,fusion:50",
                   "decant ab start words --arms pgvector_primary,fusion --interleave",
                   "decant ab start try --arms pgvector_primary,fusion --shadow --metric similarity"}) {}
    void declare(Options& options) override {
        options.required_positional("NAME", name_, "Letters, digits, points, hyphens and underscores");
        options.text("--arms", arms_, "Strategies and their shares; the first is what the others are compared with");
        options.choice("--unit", unit_, {"user", "session"}, "Who keeps an arm (default: user)");
        options.text("--metric", metric_,
                     "Which decides: chosen, feedback, similarity, results, empty, errors, latency");
        options.flag("--interleave", interleaves_,
                     "Both arms in one answer, for small traffic: what is chosen decides");
        options.flag("--shadow", shadows_, "Everybody gets the first arm; the others run after the answer");
    }

    int run(const Context& context) override {
        const Experiment wanted = checked(context);
        pg::Connection db = connect(context);
        print(context, ExperimentStore{db}.start(wanted));
        return 0;
    }

private:
    Experiment checked(const Context& context) const {
        constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
        if (name_.empty() || name_.size() > 64 || name_.find_first_not_of(allowed) != std::string::npos) {
            throw malformed(fmt::format("'{}' is no name of an experiment", printable(name_)),
                            "Give 1 to 64 letters, digits, points, hyphens and underscores.");
        }
        if (interleaves_ && shadows_)
            throw malformed("--interleave and --shadow are two kinds of experiment", "Give one of them.");
        if (arms_.empty()) throw malformed("--arms is missing", "Write it like --arms pgvector_primary:50,fusion:50.");
        Experiment wanted{.name = name_,
                          .arms = quality::parse_arms(arms_),
                          .unit = *store::unit_names.find(unit_),
                          .mode = mode(),
                          .metric = {}};
        if (interleaves_ && wanted.arms.size() != 2)
            throw malformed("--interleave takes two arms", "Leave the others for another experiment.");
        wanted.metric = checked_metric();
        check_arms(context, wanted);
        return wanted;
    }

    Experiment::Mode mode() const {
        if (shadows_) return Experiment::Mode::shadow;
        return interleaves_ ? Experiment::Mode::interleave : Experiment::Mode::split;
    }

    /// Nobody sees a shadow's answers, and of an interleaved one only what is chosen belongs to an arm.
    std::string checked_metric() const {
        const std::string metric = metric_.value_or(shadows_ ? "similarity" : "chosen");
        const bool needs_people = metric == "chosen" || metric == "feedback";
        const bool is_known = quality::find_measure(metric) != nullptr && metric != "overlap";
        if (is_known && (shadows_ ? !needs_people : !interleaves_ || metric == "chosen")) return metric;
        throw malformed(fmt::format("'{}' cannot decide this experiment", printable(metric)),
                        shadows_       ? "Choose of similarity, results, empty, errors and latency."
                        : interleaves_ ? "Leave --metric out: what is chosen decides."
                                       : "Choose of chosen, feedback, similarity, results, empty, errors and latency.");
    }

    /// Where a leg is off an arm would measure another strategy, or fail.
    static void check_arms(const Context& context, const Experiment& wanted) {
        const auto asks = [&](const std::set<std::string_view>& strategies) {
            return std::ranges::any_of(wanted.arms,
                                       [&](const store::Arm& arm) { return strategies.contains(arm.strategy); });
        };
        if (asks({"chroma", "chroma_primary", "hybrid"}) && !search::ChromaSearch::from(context.settings)) {
            throw Error{ErrorCode::config_invalid, "An arm asks Chroma, and no Chroma is configured",
                        "Set CHROMA_PATH or CHROMA_URL, for the server too, or choose another arm."};
        }
        if (asks({"pgvector", "pgvector_primary", "hybrid", "fusion"}) && !context.settings.is_on("USE_PGVECTOR")) {
            throw Error{ErrorCode::config_invalid, "An arm asks pgvector, and USE_PGVECTOR is off",
                        "Set USE_PGVECTOR=true, for the server too, or choose another arm."};
        }
    }

    std::string name_;
    std::string arms_;
    std::string unit_ = "user";
    std::optional<std::string> metric_;
    bool interleaves_ = false;
    bool shadows_ = false;
};

class AbStop final : public Command {
public:
    AbStop() : Command("ab stop", "End an experiment; what was measured stays", {"decant ab stop summer"}) {}
    void declare(Options& options) override { options.required_positional("NAME", name_, "Name of the experiment"); }

    int run(const Context& context) override {
        pg::Connection db = connect(context);
        print(context, ExperimentStore{db}.stop(name_));
        return 0;
    }

private:
    std::string name_;
};

class AbStatus final : public Command {
public:
    AbStatus()
        : Command("ab status", "List the experiments, the newest first",
                  {"decant ab status", "decant ab status --json"}) {}

    int run(const Context& context) override {
        pg::Connection db = connect(context);
        ExperimentStore experiments{db};
        const std::vector<Experiment> all = experiments.list();
        if (context.json) {
            json::array out;
            for (const Experiment& experiment : all)
                out.push_back(quality::json_of(experiment));
            fmt::print("{}\n", json_text(json::object{{"experiments", std::move(out)}}));
            return 0;
        }
        constexpr auto right = Table::Align::right;
        Table table{{{"name"},
                     {"state"},
                     {"mode"},
                     {"arm"},
                     {"share", right},
                     {"units", right},
                     {"searches", right},
                     {"started (UTC)"},
                     {"stopped (UTC)"}}};
        for (const Experiment& experiment : all) {
            const std::vector<store::ArmTraffic> traffic = experiments.traffic(experiment);
            for (const store::Arm& arm : experiment.arms) {
                const auto found = std::ranges::find(traffic, arm.strategy, &store::ArmTraffic::arm);
                const store::ArmTraffic counts = found == traffic.end() ? store::ArmTraffic{} : *found;
                table.add_row({experiment.name, experiment.is_running() ? "running" : "stopped",
                               std::string{store::mode_names[experiment.mode]}, arm.strategy,
                               std::to_string(arm.weight), std::to_string(counts.units),
                               std::to_string(counts.searches), experiment.started_at,
                               experiment.stopped_at.value_or("")});
            }
        }
        fmt::print("{}", all.empty() ? "There are no experiments.\n" : table.text());
        return 0;
    }
};

class AbReport final : public Command {
public:
    AbReport()
        : Command("ab report",
                  "Tell what an experiment found; it may be looked at at any time and as often as one likes",
                  {"decant ab report", "decant ab report summer --effect 10 --json"}) {}
    void declare(Options& options) override {
        options.optional_positional("NAME", name_, "Name of the experiment (default: the newest)");
        options.number("--effect", effect_, "Difference in % that the sample is predicted for (default: 5)");
    }

    int run(const Context& context) override {
        pg::Connection db = connect(context);
        const std::uint64_t effect = in_range({.option = "--effect", .low = 1, .high = 1'000, .unset = 5}, effect_);
        const quality::ExperimentReport report =
            quality::read_experiment_report(db, name_ ? *name_ : newest(db), static_cast<double>(effect) / 100);
        if (context.json)
            fmt::print("{}\n", json_text(quality::json_of(report)));
        else
            fmt::print("{}", quality::text_of(report));
        return 0;
    }

private:
    static std::string newest(pg::Connection& db) {
        const std::vector<Experiment> all = ExperimentStore{db}.list();
        if (!all.empty()) return all.front().name;
        throw Error{ErrorCode::not_found, "There are no experiments",
                    "Start one: decant ab start NAME --arms pgvector_primary:50,fusion:50"};
    }

    std::optional<std::string> name_;
    std::optional<std::uint64_t> effect_;
};

}  // namespace

Commands make_ab() {
    return commands_of<AbStart, AbStatus, AbStop, AbReport>();
}

}  // namespace decant::cli
