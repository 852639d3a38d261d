#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/enum_names.hpp"
#include "core/json.hpp"
#include "pg/connection.hpp"
#include "quality/sequential.hpp"
#include "store/experiment_store.hpp"

namespace decant::quality {

/// What an experiment compares.
struct Measure {
    std::string_view name;
    std::string_view about;
    bool more_is_better = true;
    bool is_milliseconds = false;
};
const std::vector<Measure>& all_measures();
/// Null where there is none.
const Measure* find_measure(std::string_view name);

struct ArmMeasure {
    std::string measure;
    store::ArmFigure figure;                  ///< of shadow: of the differences
    std::optional<Estimate> mean = {};        ///< none of shadow, but for the overlap
    std::optional<Estimate> difference = {};  ///< to the first arm; none of the first
};

struct ArmReport {
    store::Arm arm;
    store::ArmTraffic traffic;
    std::vector<ArmMeasure> measures;  ///< in the order of all_measures(), those that there is something of
};

enum class Verdict { undecided, better, worse };
inline constexpr EnumNames<Verdict, 3> verdict_names{{"undecided", "better", "worse"}};

struct ExperimentReport {
    store::Experiment experiment;
    std::vector<ArmReport> arms;
    std::vector<Verdict> verdicts;  ///< one an arm, against the first, by the metric that decides
    bool is_split_wrong = false;    ///< arms got other shares of the units than they were to: the comparison is broken
    std::optional<store::Choices> choices = {};  ///< of interleaving
    Estimate preference = {};                    ///< of interleaving: the share of units that preferred the second arm
    double effect = 0.05;                        ///< that the sample is predicted for, of the first arm's mean
    std::optional<std::uint64_t> units_needed = {};  ///< of each arm; none: not to be told yet
};

/// Throws what ExperimentStore does.
ExperimentReport read_experiment_report(pg::Connection& db, const std::string& name, double effect);

/// The same from figures; pure.
struct ReportInput {
    store::Experiment experiment;
    std::vector<store::ArmTraffic> traffic;
    std::vector<store::ArmFigure> figures;
    std::optional<store::Choices> choices = {};
    double effect = 0.05;
};
ExperimentReport make_report(ReportInput input);

/// One sentence: what was found, or what is missing.
std::string conclusion_of(const ExperimentReport& report);

json::object json_of(const store::Experiment& experiment);
json::object json_of(const ExperimentReport& report);

/// For a terminal.
std::string text_of(const ExperimentReport& report);

}  // namespace decant::quality
