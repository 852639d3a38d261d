#include "quality/monitor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "core/elapsed.hpp"
#include "core/error.hpp"
#include "core/json_members.hpp"
#include "core/quantity_text.hpp"
#include "core/table.hpp"
#include "embed/known_models.hpp"
#include "quality/index_recall.hpp"
#include "store/embedding_statistics.hpp"

namespace decant::quality {
namespace {

// The first two are the migration guide's.
constexpr double most_milliseconds = 2'000;
constexpr double most_errors = 0.01;
constexpr double most_degraded = 0.01;
constexpr double most_without_result = 0.1;
constexpr double least_feedback = 0.7;
constexpr double least_coverage = 0.99;
constexpr double most_stale = 0.05;
/// Under it one answer was not liked.
constexpr double liked = 0.5;

constexpr double steady_share = 0.01;

/// What the index was a week ago tells nothing of it now.
constexpr double longest_probe_age = 7.0 * 24 * 3600;

/// None: a share of nothing.
std::optional<double> share(std::uint64_t part, std::uint64_t all) {
    if (all == 0) return std::nullopt;
    return static_cast<double>(part) / static_cast<double>(all);
}

std::string shown(const QualityMetric& metric, const std::optional<double>& value) {
    if (!value) return "-";
    return metric.name.ends_with("_ms") ? fmt::format("{:.1f} ms", *value) : fmt::format("{:.4f}", *value);
}

}  // namespace

QualitySubject subject_of(const std::string& provider, const std::string& model) {
    return {.model = model, .similarity_target = embed::server_model(provider, model, {}).similarity_target};
}

TargetState QualityMetric::state() const noexcept {
    if (!target) return TargetState::no_target;
    if (!value) return TargetState::unknown;
    return (at_least ? *value >= *target : *value < *target) ? TargetState::met : TargetState::missed;
}

Trend QualityMetric::trend() const noexcept {
    if (!value || !before) return Trend::unknown;
    const double change = *value - *before;
    if (std::abs(change) <= steady_share * std::max(std::abs(*before), std::abs(target.value_or(0))))
        return Trend::steady;
    return (change > 0) == at_least ? Trend::better : Trend::worse;
}

std::size_t QualityReport::missed() const noexcept {
    return static_cast<std::size_t>(std::ranges::count_if(
        metrics, [](const QualityMetric& metric) { return metric.state() == TargetState::missed; }));
}

QualityReport read_quality(pg::Connection& db, store::MetricsRange range, const QualitySubject& subject) {
    const auto [now, before] = store::read_quality_figures(db, range);
    const store::EmbeddingStatistics catalog = store::read_embedding_statistics(db, subject.model);
    const std::optional<store::QualityProbe> probe = store::newest_probe(db);
    const std::optional<store::QualityProbe> old = store::newest_probe(db, range);
    const bool is_probed = probe && probe->age_seconds < longest_probe_age;
    // Of a single probe, however old, there is no trend.
    const bool is_compared = is_probed && old && old->measured_at < probe->measured_at;
    QualityReport report{
        .range = range, .model = subject.model, .searches = now.searches, .feedbacks = now.feedbacks, .metrics = {}};
    report.metrics = {
        {"average_similarity", true, subject.similarity_target, now.mean_similarity, before.mean_similarity},
        {"response_time_p95_ms", false, most_milliseconds, now.p95_ms, before.p95_ms},
        {"error_rate", false, most_errors, now.error_rate, before.error_rate},
        {"degraded", false, most_degraded, now.degraded, before.degraded},
        {"without_result", false, most_without_result, now.without_result, before.without_result},
        {"feedback_score", true, least_feedback, now.feedback, before.feedback},
        {"coverage", true, least_coverage, share(catalog.with_embedding, catalog.products),
         old && old->products > 0 ? std::optional{old->coverage} : std::nullopt},
        {"stale", false, most_stale, share(catalog.stale, catalog.with_embedding),
         old && old->products > 0 && old->coverage > 0 ? std::optional{old->stale} : std::nullopt},
        {"index_recall", true, least_index_recall, is_probed ? probe->recall : std::nullopt,
         is_compared ? old->recall : std::nullopt}};
    if (probe) report.probed_at = probe->measured_at;
    return report;
}

std::vector<store::FailedSearch> failed_searches(pg::Connection& db, store::MetricsRange range,
                                                 const QualitySubject& subject, std::uint64_t limit) {
    return store::read_failed_searches(db, {.range = range,
                                            .most_milliseconds = most_milliseconds,
                                            .least_similarity = subject.similarity_target,
                                            .least_feedback = liked,
                                            .limit = limit});
}

std::vector<std::string_view> failures_of(const store::FailedSearch& search, const QualitySubject& subject) {
    std::vector<std::string_view> failures;
    if (!search.error.empty()) failures.emplace_back("error");
    if (search.degraded) failures.emplace_back("degraded");
    if (search.error.empty() && search.results == 0) failures.emplace_back("no result");
    if (search.milliseconds >= most_milliseconds) failures.emplace_back("slow");
    if (search.similarity && subject.similarity_target && *search.similarity < *subject.similarity_target)
        failures.emplace_back("similarity");
    if (search.feedback && *search.feedback < liked) failures.emplace_back("feedback");
    return failures;
}

bool probe_if_due(pg::Connection& db, const ProbeOptions& options) {
    const std::optional<store::QualityProbe> newest = store::newest_probe(db);
    if (newest && newest->age_seconds < options.least_age_seconds) return false;
    const auto start = std::chrono::steady_clock::now();
    const store::EmbeddingStatistics catalog = store::read_embedding_statistics(db, options.model);
    store::QualityProbe probe{.products = catalog.products,
                              .coverage = share(catalog.with_embedding, catalog.products).value_or(1),
                              .stale = share(catalog.stale, catalog.with_embedding).value_or(0)};
    if (catalog.with_embedding > 0) {
        const IndexRecall measured =
            measure_index_recall(db, {.selectivities = {1}, .queries = options.queries},
                                 [&](std::size_t, std::size_t) { return options.may_go_on(); });
        probe.recall = measured.filtered.front().recall;
        probe.queries = measured.queries;
    }
    probe.milliseconds = milliseconds_since(start);
    store::store_probe(db, probe);
    return true;
}

json::object json_of(const QualityReport& report) {
    json::array metrics;
    for (const QualityMetric& metric : report.metrics) {
        metrics.push_back(json::object{{"name", metric.name},
                                       {"value", or_null(metric.value)},
                                       {"target", or_null(metric.target)},
                                       {"target_is", metric.at_least ? "at_least" : "below"},
                                       {"state", target_state_names[metric.state()]},
                                       {"before", or_null(metric.before)},
                                       {"trend", trend_names[metric.trend()]}});
    }
    return {{"time_range", store::metrics_range_names[report.range]},
            {"embedding_model", report.model},
            {"searches", report.searches},
            {"feedbacks", report.feedbacks},
            {"missed", report.missed()},
            {"metrics", std::move(metrics)},
            {"probed_at", or_null(report.probed_at)}};
}

std::string text_of(const QualityReport& report) {
    constexpr auto right = Table::Align::right;
    Table table{{{"metric"}, {"value", right}, {"target", right}, {"state"}, {"before", right}, {"trend"}}};
    for (const QualityMetric& metric : report.metrics) {
        const std::string target =
            metric.target ? fmt::format("{} {}", metric.at_least ? ">=" : "<", shown(metric, metric.target)) : "-";
        std::string state{target_state_names[metric.state()]};
        std::ranges::replace(state, '_', ' ');
        table.add_row({std::string{metric.name}, shown(metric, metric.value), target, std::move(state),
                       shown(metric, metric.before), std::string{trend_names[metric.trend()]}});
    }
    return fmt::format("{} searches and {} feedbacks in {}; model {}; index probed {}\n\n{}", grouped(report.searches),
                       grouped(report.feedbacks), store::metrics_range_names[report.range], report.model,
                       report.probed_at.value_or("never"), table.text());
}

}  // namespace decant::quality
