#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/enum_names.hpp"
#include "core/json.hpp"
#include "pg/connection.hpp"
#include "store/quality_figures.hpp"

namespace decant::quality {

/// Whose vectors are searched.
struct QualitySubject {
    std::string model;                             ///< as products.embedding_model names it
    std::optional<double> similarity_target = {};  ///< none: not known for this model
};
/// What is known of a model by its name.
QualitySubject subject_of(const std::string& provider, const std::string& model);

enum class TargetState { met, missed, unknown, no_target };
inline constexpr EnumNames<TargetState, 4> target_state_names{{"met", "missed", "unknown", "no_target"}};
enum class Trend { better, worse, steady, unknown };
inline constexpr EnumNames<Trend, 4> trend_names{{"better", "worse", "steady", "unknown"}};

struct QualityMetric {
    std::string_view name;  ///< "average_similarity"; docs/quality.md says what each means
    bool at_least = true;   ///< the value is to be `target` or more; else under it
    std::optional<double> target = {};
    std::optional<double> value = {};   ///< none: nothing to tell it from
    std::optional<double> before = {};  ///< in the range before

    TargetState state() const noexcept;
    /// A change of less than a hundredth is steady.
    Trend trend() const noexcept;
};

struct QualityReport {
    store::MetricsRange range = store::MetricsRange::day;
    std::string model;
    std::uint64_t searches = 0;
    std::uint64_t feedbacks = 0;
    std::vector<QualityMetric> metrics;
    std::optional<std::string> probed_at = {};  ///< when the index was looked at last

    std::size_t missed() const noexcept;
};

/// Throws Error{not_found} where there is no catalog or no such tables.
QualityReport read_quality(pg::Connection& db, store::MetricsRange range, const QualitySubject& subject);

/// Searches that failed on their own what the metrics ask of all of them.
std::vector<store::FailedSearch> failed_searches(pg::Connection& db, store::MetricsRange range,
                                                 const QualitySubject& subject, std::uint64_t limit);
/// What it failed: "error", "degraded", "no result", "slow", "similarity", "feedback".
std::vector<std::string_view> failures_of(const store::FailedSearch& search, const QualitySubject& subject);

struct ProbeOptions {
    std::string model;
    double least_age_seconds = 3600;  ///< of the newest probe; a younger one will do
    std::size_t queries = 50;
    std::function<bool()> may_go_on = [] { return true; };
};
/// Searches for stored vectors by the index and by the exact scan, counts the catalog's vectors, and keeps both. False
/// where a probe of others is young enough. Throws what measure_index_recall and read_embedding_statistics do.
bool probe_if_due(pg::Connection& db, const ProbeOptions& options);

json::object json_of(const QualityReport& report);
/// For a terminal.
std::string text_of(const QualityReport& report);

}  // namespace decant::quality
