#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/judged_options.hpp"
#include "core/json_members.hpp"
#include "core/table.hpp"
#include "quality/monitor.hpp"
#include "store/database_address.hpp"
#include "work/catalog_model.hpp"

namespace decant::cli {
namespace {

using store::FailedSearch;
using store::MetricsRange;

const std::vector<std::string> range_choices{store::metrics_range_names.names.begin(),
                                             store::metrics_range_names.names.end()};

MetricsRange range_of(const std::string& name) {
    return store::metrics_range_names.find(name).value_or(MetricsRange::day);
}

pg::Connection connect(const Context& context) {
    return pg::Connection::open(store::resolve_database(context.settings).conninfo);
}

quality::QualitySubject subject_of(const Context& context, pg::Connection& db) {
    const embed::EmbedderChoice choice = work::catalog_choice(context.settings, db);
    return quality::subject_of(choice.provider, choice.model);
}

class Quality final : public Command {
public:
    Quality()
        : Command("quality", "Compare how good the search was with its targets; exit 1 when one is missed",
                  {"decant quality", "decant quality --range 7d --json", "decant quality --probe"}) {}
    void declare(Options& options) override {
        options.choice("--range", range_, range_choices, "Of how long (default: 24h)");
        options.flag("--probe", probes_, "Measure the index's recall now, besides what `decant serve` does every hour");
    }

    int run(const Context& context) override {
        pg::Connection db = connect(context);
        const quality::QualitySubject subject = subject_of(context, db);
        if (probes_) quality::probe_if_due(db, {.model = subject.model, .least_age_seconds = 0});
        const quality::QualityReport report = quality::read_quality(db, range_of(range_), subject);
        if (context.json)
            fmt::print("{}\n", json_text(json_of(report)));
        else
            fmt::print("{}", text_of(report));
        return report.missed() == 0 ? 0 : 1;
    }

private:
    std::string range_ = "24h";
    bool probes_ = false;
};

class QualityFailed final : public Command {
public:
    QualityFailed()
        : Command("quality failed", "List searches that missed a target on their own",
                  {"decant quality failed", "decant quality failed --range 1h --limit 200 --json"}) {}
    void declare(Options& options) override {
        options.choice("--range", range_, range_choices, "Of how long (default: 24h)");
        options.number("--limit", limit_, "The newest of them (default: 50)");
    }

    int run(const Context& context) override {
        pg::Connection db = connect(context);
        const quality::QualitySubject subject = subject_of(context, db);
        const std::uint64_t limit = in_range({.option = "--limit", .low = 1, .high = 10'000, .unset = 50}, limit_);
        const std::vector<FailedSearch> failed = quality::failed_searches(db, range_of(range_), subject, limit);
        if (context.json)
            print_json(failed, subject);
        else
            print_text(failed, subject);
        return 0;
    }

private:
    static void print_json(const std::vector<FailedSearch>& failed, const quality::QualitySubject& subject) {
        json::array searches;
        for (const FailedSearch& search : failed) {
            const std::vector<std::string_view> failures = quality::failures_of(search, subject);
            searches.push_back(json::object{{"at", search.at},
                                            {"kind", search.kind},
                                            {"run_id", text_or_null(search.run_id)},
                                            {"trace_id", text_or_null(search.trace_id)},
                                            {"failed", json::array(failures.begin(), failures.end())},
                                            {"strategy", text_or_null(search.strategy)},
                                            {"milliseconds", search.milliseconds},
                                            {"results", search.results},
                                            {"similarity", or_null(search.similarity)},
                                            {"feedback", or_null(search.feedback)},
                                            {"error", text_or_null(search.error)},
                                            {"question", text_or_null(search.question)}});
        }
        fmt::print("{}\n", json_text(json::object{{"searches", std::move(searches)}}));
    }

    static void print_text(const std::vector<FailedSearch>& failed, const quality::QualitySubject& subject) {
        if (failed.empty()) {
            fmt::print("No search missed a target.\n");
            return;
        }
        const auto shown = [](const std::optional<double>& value) {
            return value ? fmt::format("{:.2f}", *value) : std::string{"-"};
        };
        constexpr auto right = Table::Align::right;
        Table table{{{"at (UTC)"},
                     {"kind"},
                     {"failed"},
                     {"strategy"},
                     {"ms", right},
                     {"results", right},
                     {"similarity", right},
                     {"feedback", right},
                     {"run"},
                     {"trace"},
                     {"question"}}};
        for (const FailedSearch& search : failed) {
            table.add_row(
                {search.at, search.kind, fmt::format("{}", fmt::join(quality::failures_of(search, subject), ", ")),
                 search.error.empty() ? search.strategy : search.error, fmt::format("{:.1f}", search.milliseconds),
                 std::to_string(search.results), shown(search.similarity), shown(search.feedback), search.run_id,
                 search.trace_id, search.question});
        }
        fmt::print("{}", table.text());
    }

    std::string range_ = "24h";
    std::optional<std::uint64_t> limit_;
};

}  // namespace

Commands make_quality() {
    return commands_of<Quality, QualityFailed>();
}

}  // namespace decant::cli
