#include <fmt/format.h>

#include "core/json_members.hpp"
#include "core/quantity_text.hpp"
#include "core/table.hpp"
#include "quality/experiment_report.hpp"

namespace decant::quality {
namespace {

using store::Experiment;

json::value estimate_json(const std::optional<Estimate>& estimate, bool has_p) {
    if (!estimate) return nullptr;
    json::object out{{"value", estimate->value},
                     {"low", estimate->interval ? json::value(estimate->interval->low) : nullptr},
                     {"high", estimate->interval ? json::value(estimate->interval->high) : nullptr}};
    if (has_p) out["p"] = estimate->p;
    return out;
}

json::object json_of(const ArmReport& arm, Verdict verdict, bool is_shadow) {
    json::array measures;
    for (const ArmMeasure& measure : arm.measures) {
        measures.push_back(json::object{{"metric", measure.measure},
                                        {"units", measure.figure.units},
                                        {"mean", estimate_json(measure.mean, false)},
                                        {"difference", estimate_json(measure.difference, true)}});
    }
    return {{"arm", arm.arm.strategy},          {"weight", arm.arm.weight}, {"units", arm.traffic.units},
            {"searches", arm.traffic.searches}, {"is_shadow", is_shadow},   {"verdict", verdict_names[verdict]},
            {"metrics", std::move(measures)}};
}

/// Shares and similarities with three decimals, milliseconds and numbers of products with one.
std::string shown(const std::string& measure, double value, bool has_sign) {
    const int decimals = measure == "latency" || measure == "results" ? 1 : 3;
    return has_sign ? fmt::format("{:+.{}f}", value, decimals) : fmt::format("{:.{}f}", value, decimals);
}

std::string interval_text(const std::string& measure, const Estimate& estimate, bool has_sign) {
    if (!estimate.interval) return "-";
    return fmt::format("{} to {}", shown(measure, estimate.interval->low, has_sign),
                       shown(measure, estimate.interval->high, has_sign));
}

std::string p_text(double p) {
    return p < 0.00005 ? "<0.0001" : fmt::format("{:.4f}", p);
}

std::string heading_of(const ExperimentReport& report) {
    const Experiment& experiment = report.experiment;
    std::string arms;
    for (const store::Arm& arm : experiment.arms)
        arms += fmt::format("{}{} {}", arms.empty() ? "" : ", ", arm.strategy, arm.weight);
    return fmt::format("{}: {} ({} by {}), {} {:.1f} days, decided by {}\n{}\n\n", experiment.name, arms,
                       store::mode_names[experiment.mode], store::unit_names[experiment.unit],
                       experiment.is_running() ? "running for" : "stopped after", experiment.days, experiment.metric,
                       conclusion_of(report));
}

std::string traffic_text(const ExperimentReport& report) {
    constexpr auto right = Table::Align::right;
    Table table{{{"arm"}, {"units", right}, {"searches", right}}};
    for (const ArmReport& arm : report.arms)
        table.add_row({arm.arm.strategy, grouped(arm.traffic.units), grouped(arm.traffic.searches)});
    return table.text();
}

std::string measures_text(const ExperimentReport& report) {
    constexpr auto right = Table::Align::right;
    Table table{{{"metric"},
                 {"arm"},
                 {"mean", right},
                 {"95 % interval", right},
                 {"difference", right},
                 {"95 % interval", right},
                 {"p", right}}};
    bool has_rows = false;
    for (const Measure& kind : all_measures()) {
        for (const ArmReport& arm : report.arms) {
            for (const ArmMeasure& measure : arm.measures) {
                if (measure.measure != kind.name) continue;
                const auto& [name, figure, mean, difference] = measure;
                table.add_row({name, arm.arm.strategy, mean ? shown(name, mean->value, false) : "-",
                               mean ? interval_text(name, *mean, false) : "-",
                               difference ? shown(name, difference->value, true) : "-",
                               difference ? interval_text(name, *difference, true) : "-",
                               difference ? p_text(difference->p) : "-"});
                has_rows = true;
            }
        }
    }
    return has_rows ? "\n" + table.text() : "";
}

std::string choices_text(const ExperimentReport& report) {
    if (!report.choices) return "";
    const store::Choices& choices = *report.choices;
    const auto& interval = report.preference.interval;
    return fmt::format("\n{} won {} units and lost {}, {} even: {:.3f} ({}), p {}\n", choices.arm,
                       grouped(choices.wins), grouped(choices.losses), grouped(choices.ties), report.preference.value,
                       interval ? fmt::format("{:.3f} to {:.3f}", interval->low, interval->high) : "-",
                       p_text(report.preference.p));
}

}  // namespace

json::object json_of(const Experiment& experiment) {
    json::array arms;
    for (const store::Arm& arm : experiment.arms)
        arms.push_back(json::object{{"arm", arm.strategy}, {"weight", arm.weight}});
    return {{"name", experiment.name},
            {"state", experiment.is_running() ? "running" : "stopped"},
            {"arms", std::move(arms)},
            {"unit", store::unit_names[experiment.unit]},
            {"mode", store::mode_names[experiment.mode]},
            {"metric", experiment.metric},
            {"started_at", experiment.started_at},
            {"stopped_at", or_null(experiment.stopped_at)},
            {"days", experiment.days}};
}

json::object json_of(const ExperimentReport& report) {
    json::array arms;
    for (std::size_t i = 0; i < report.arms.size(); ++i) {
        const bool is_shadow = report.experiment.mode == Experiment::Mode::shadow && i > 0;
        arms.push_back(json_of(report.arms[i], report.verdicts[i], is_shadow));
    }
    json::value preference = nullptr;
    if (report.choices) {
        preference = json::object{{"arm", report.choices->arm},
                                  {"wins", report.choices->wins},
                                  {"losses", report.choices->losses},
                                  {"ties", report.choices->ties},
                                  {"share", estimate_json(report.preference, true)}};
    }
    return {{"experiment", json_of(report.experiment)},    {"conclusion", conclusion_of(report)},
            {"is_split_wrong", report.is_split_wrong},     {"arms", std::move(arms)},
            {"preference", std::move(preference)},         {"effect", report.effect},
            {"units_needed", or_null(report.units_needed)}};
}

std::string text_of(const ExperimentReport& report) {
    return heading_of(report) + traffic_text(report) + measures_text(report) + choices_text(report);
}

}  // namespace decant::quality
