#include "quality/experiment_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/quantity_text.hpp"

namespace decant::quality {
namespace {

using store::Experiment;

/// Under it the split is taken for broken: a share that is right gives less once in a thousand experiments.
constexpr double split_alarm = 0.001;

const store::ArmFigure* find_figure(const ReportInput& input, const std::string& arm, std::string_view measure) {
    const auto found = std::ranges::find_if(
        input.figures, [&](const store::ArmFigure& figure) { return figure.arm == arm && figure.metric == measure; });
    return found == input.figures.end() ? nullptr : &*found;
}

Moments moments_of(const store::ArmFigure& figure) {
    return {.units = figure.units, .mean = figure.mean, .variance = figure.variance};
}

store::ArmTraffic traffic_of(const ReportInput& input, const std::string& arm) {
    const auto found = std::ranges::find(input.traffic, arm, &store::ArmTraffic::arm);
    return found == input.traffic.end() ? store::ArmTraffic{.arm = arm} : *found;
}

ArmMeasure measure_of(const ReportInput& input, const store::ArmFigure& figure, const std::string& first) {
    ArmMeasure measure{.measure = figure.metric, .figure = figure};
    if (input.experiment.mode == Experiment::Mode::shadow) {
        // Of requests that both arms answered, so they are differences already.
        (figure.metric == "overlap" ? measure.mean : measure.difference) = estimate_mean(moments_of(figure));
        return measure;
    }
    measure.mean = estimate_mean(moments_of(figure));
    const store::ArmFigure* base = find_figure(input, first, figure.metric);
    if (figure.arm != first && base != nullptr)
        measure.difference = estimate_difference(moments_of(*base), moments_of(figure));
    return measure;
}

ArmReport arm_report(const ReportInput& input, const store::Arm& arm) {
    ArmReport report{.arm = arm, .traffic = traffic_of(input, arm.strategy), .measures = {}};
    for (const Measure& measure : all_measures()) {
        const store::ArmFigure* figure = find_figure(input, arm.strategy, measure.name);
        if (figure != nullptr)
            report.measures.push_back(measure_of(input, *figure, input.experiment.arms.front().strategy));
    }
    return report;
}

bool is_split_wrong(const ExperimentReport& report) {
    if (report.experiment.mode != Experiment::Mode::split) return false;
    std::uint64_t units = 0;
    int weights = 0;
    for (const ArmReport& arm : report.arms) {
        units += arm.traffic.units;
        weights += arm.arm.weight;
    }
    return std::ranges::any_of(report.arms, [&](const ArmReport& arm) {
        const double share = static_cast<double>(arm.arm.weight) / weights;
        return share_p(arm.traffic.units, units, share) * static_cast<double>(report.arms.size()) < split_alarm;
    });
}

/// Of p, that decides: several arms are several chances of a false alarm.
double level_of(const store::Experiment& experiment) {
    return alpha / static_cast<double>(experiment.arms.size() - 1);
}

Verdict verdict_of(const ExperimentReport& report, const Estimate& estimate, bool more_is_better) {
    if (estimate.p > level_of(report.experiment) || estimate.value == 0) return Verdict::undecided;
    return (estimate.value > 0) == more_is_better ? Verdict::better : Verdict::worse;
}

/// Null where there is nothing of it yet.
const ArmMeasure* deciding_measure(const ExperimentReport& report, const ArmReport& arm) {
    const auto found = std::ranges::find(arm.measures, report.experiment.metric, &ArmMeasure::measure);
    return found == arm.measures.end() ? nullptr : &*found;
}

/// Units that the metric that decides is known of, in the arm that has the fewest. The first arm of a shadow experiment
/// has no difference to itself.
std::uint64_t least_deciding_units(const ExperimentReport& report) {
    std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
    for (std::size_t i = report.experiment.mode == Experiment::Mode::shadow ? 1 : 0; i < report.arms.size(); ++i) {
        const ArmMeasure* deciding = deciding_measure(report, report.arms[i]);
        least = std::min(least, deciding == nullptr ? 0 : deciding->figure.units);
    }
    return least;
}

Verdict verdict_of(const ExperimentReport& report, const ArmReport& arm) {
    if (report.choices) {
        const Estimate excess{.value = report.preference.value - 0.5, .p = report.preference.p};
        return &arm == &report.arms.front() ? Verdict::undecided : verdict_of(report, excess, true);
    }
    const ArmMeasure* deciding = deciding_measure(report, arm);
    const Measure* measure = find_measure(report.experiment.metric);
    if (deciding == nullptr || !deciding->difference || measure == nullptr) return Verdict::undecided;
    return verdict_of(report, *deciding->difference, measure->more_is_better);
}

std::optional<std::uint64_t> sample_for(const ReportInput& input) {
    if (input.experiment.mode != Experiment::Mode::split) return std::nullopt;
    const store::ArmFigure* base = find_figure(input, input.experiment.arms.front().strategy, input.experiment.metric);
    // A spread of a few units says little.
    if (base == nullptr || base->units < least_units / 4) return std::nullopt;
    return units_needed(std::sqrt(base->variance), std::abs(base->mean) * input.effect, level_of(input.experiment));
}

}  // namespace

const std::vector<Measure>& all_measures() {
    static const std::vector<Measure> measures{
        {.name = "chosen", .about = "share of searches of which a product was chosen"},
        {.name = "feedback", .about = "mean score of feedback, 0 to 1"},
        {.name = "similarity", .about = "mean similarity of the products found"},
        {.name = "results", .about = "products found"},
        {.name = "empty", .about = "share of searches without result", .more_is_better = false},
        {.name = "errors", .about = "share of searches that failed", .more_is_better = false},
        {.name = "latency", .about = "until the products were found", .more_is_better = false, .is_milliseconds = true},
        {.name = "overlap", .about = "share of products that the answer given has too"}};
    return measures;
}

const Measure* find_measure(std::string_view name) {
    const auto found = std::ranges::find(all_measures(), name, &Measure::name);
    return found == all_measures().end() ? nullptr : &*found;
}

ExperimentReport make_report(ReportInput input) {
    ExperimentReport report{.experiment = input.experiment, .arms = {}, .verdicts = {}, .effect = input.effect};
    for (const store::Arm& arm : input.experiment.arms)
        report.arms.push_back(arm_report(input, arm));
    report.is_split_wrong = is_split_wrong(report);
    report.units_needed = sample_for(input);
    if (input.choices) {
        report.choices = input.choices;
        report.preference = estimate_share(input.choices->wins, input.choices->wins + input.choices->losses);
    }
    for (const ArmReport& arm : report.arms)
        report.verdicts.push_back(verdict_of(report, arm));
    return report;
}

ExperimentReport read_experiment_report(pg::Connection& db, const std::string& name, double effect) {
    store::ExperimentStore experiments{db};
    ReportInput input{.experiment = experiments.find(name), .traffic = {}, .figures = {}, .effect = effect};
    input.traffic = experiments.traffic(input.experiment);
    input.figures = experiments.figures(input.experiment);
    if (input.experiment.mode == Experiment::Mode::interleave) input.choices = experiments.choices(input.experiment);
    return make_report(std::move(input));
}

std::string conclusion_of(const ExperimentReport& report) {
    const std::string& first = report.experiment.arms.front().strategy;
    if (report.is_split_wrong)
        return "The arms did not get the shares of units that they were to: do not trust the comparison.";
    std::string found;
    for (std::size_t i = 1; i < report.arms.size(); ++i) {
        if (report.verdicts[i] == Verdict::undecided) continue;
        found += fmt::format("{}{} is {} than {} by {}", found.empty() ? "" : "; ", report.arms[i].arm.strategy,
                             verdict_names[report.verdicts[i]], first, report.experiment.metric);
    }
    if (!found.empty()) return found + ".";
    if (report.choices) {
        return fmt::format("No arm is preferred yet: {} units chose products.",
                           grouped(report.choices->wins + report.choices->losses + report.choices->ties));
    }
    const std::uint64_t least = least_deciding_units(report);
    if (report.units_needed) {
        return fmt::format("No difference is found yet: {} units of about {} an arm that {:.3g} % would take.",
                           grouped(least), grouped(*report.units_needed), report.effect * 100);
    }
    return fmt::format("No difference is found yet: {} units an arm.", grouped(least));
}

}  // namespace decant::quality
