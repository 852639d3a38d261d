#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/enum_names.hpp"
#include "pg/connection.hpp"

namespace decant::store {

struct Arm {
    std::string strategy;
    int weight = 1;  ///< its share of the units, of the sum of all weights
};

/// A comparison of strategies on real traffic, as decant.experiments keeps it.
struct Experiment {
    enum class Unit { user, session };
    enum class Mode { split, interleave, shadow };

    std::string name;
    std::vector<Arm> arms;  ///< two at least; the first is what the others are compared with
    Unit unit = Unit::user;
    Mode mode = Mode::split;
    std::string metric;                          ///< that decides
    std::string started_at = {};                 ///< UTC, ISO 8601
    std::optional<std::string> stopped_at = {};  ///< none: it runs
    double days = 0;                             ///< that it ran, or runs by now

    bool is_running() const noexcept { return !stopped_at; }
};
inline constexpr EnumNames<Experiment::Unit, 2> unit_names{{"user", "session"}};
inline constexpr EnumNames<Experiment::Mode, 3> mode_names{{"split", "interleave", "shadow"}};

/// The arm of an answer that was made of both.
inline constexpr std::string_view interleaved_arm = "interleaved";

/// Of one metric over the units of an arm; of a shadow experiment over the differences to the first arm's answers to
/// the same requests.
struct ArmFigure {
    std::string arm;
    std::string metric;  ///< "results", "similarity", "latency", "empty", "errors", "feedback", "chosen", "overlap"
    std::uint64_t units = 0;
    double mean = 0;
    double variance = 0;
};

struct ArmTraffic {
    std::string arm;
    std::uint64_t units = 0;
    std::uint64_t searches = 0;
};

/// What units chose from interleaved answers: each counts once, by whose products it chose more of, because the choices
/// of one unit are alike.
struct Choices {
    std::string arm;
    std::uint64_t wins = 0;  ///< more than of the first arm
    std::uint64_t losses = 0;
    std::uint64_t ties = 0;
};

/// One connection, one thread at a time. All but running() throw Error{not_found} where there are no such tables.
class ExperimentStore {
public:
    explicit ExperimentStore(pg::Connection& db) : db_(db) {}

    /// Throws Error{conflict}: another one runs, or had this name. What the arms may be is the caller's to check.
    Experiment start(const Experiment& wanted);
    /// The one that runs; none also where there are no such tables.
    std::optional<Experiment> running();
    /// The newest first.
    std::vector<Experiment> list();
    /// Throws Error{not_found} naming one that may be meant.
    Experiment find(const std::string& name);
    /// The same, and where it ran it runs no more.
    Experiment stop(const std::string& name);

    /// Of interleaved answers both arms have all.
    std::vector<ArmTraffic> traffic(const Experiment& experiment);
    /// Each unit counts once, by the mean of its searches, because searches of one unit are alike.
    std::vector<ArmFigure> figures(const Experiment& experiment);
    /// Of the second arm against the first.
    Choices choices(const Experiment& experiment);

private:
    bool is_there();
    void require();

    pg::Connection& db_;
};

}  // namespace decant::store
