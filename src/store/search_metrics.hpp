#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/enum_names.hpp"
#include "pg/connection.hpp"

namespace decant::store {

enum class MetricsRange { hour, day, week, month };
inline constexpr EnumNames<MetricsRange, 4> metrics_range_names{{"1h", "24h", "7d", "30d"}};
/// As an interval of PostgreSQL.
std::string span_of(MetricsRange range);

/// What decant.search_events says of searches and of chat's. Their time is that until the products were found: the
/// wording of an answer is not in it.
struct SearchFigures {
    std::uint64_t searches = 0;
    std::uint64_t errors = 0;
    std::uint64_t degraded = 0;
    std::uint64_t without_results = 0;  ///< of those that did not fail
    /// Their best product is less than 0.05 above the threshold: with the migration guide's threshold of 0.7 that is
    /// under the 0.75 which it asks for.
    std::uint64_t low_quality = 0;
    std::optional<double> mean_ms;
    std::optional<double> p50_ms;
    std::optional<double> p95_ms;
    std::optional<double> p99_ms;
    std::optional<double> mean_similarity;  ///< of the searches' means

    double error_rate() const noexcept {
        return searches == 0 ? 0 : static_cast<double>(errors) / static_cast<double>(searches);
    }
};

struct EmbeddingFigures {
    std::uint64_t generated = 0;  ///< products whose newest vector was made in the range
    std::uint64_t waiting = 0;    ///< in the queue
    std::uint64_t dead = 0;       ///< given up
};

struct MetricsBucket {
    std::string start;  ///< UTC, ISO 8601
    SearchFigures figures;
};

struct SearchMetrics {
    SearchFigures all;
    std::vector<std::pair<std::string, SearchFigures>> strategies;  ///< by what answered
    EmbeddingFigures embeddings;
};

SearchMetrics read_search_metrics(pg::Connection& db, MetricsRange range);

struct MetricsSeries {
    std::uint64_t bucket_seconds = 0;
    std::vector<MetricsBucket> buckets;          ///< all of the range, the oldest first
    std::vector<std::uint64_t> best_similarity;  ///< searches by their best product, in twentieths from 0 to 1
};

MetricsSeries read_metrics_series(pg::Connection& db, MetricsRange range);

/// A question that found nothing.
struct UnansweredQuestion {
    std::string question;
    std::uint64_t searches = 0;
    std::string last;  ///< UTC, ISO 8601
};

/// Those asked most often first. Only questions that were kept.
std::vector<UnansweredQuestion> read_unanswered_questions(pg::Connection& db, MetricsRange range, std::size_t limit);

}  // namespace decant::store
