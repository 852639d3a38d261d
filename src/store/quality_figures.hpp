#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pg/connection.hpp"
#include "store/search_metrics.hpp"

namespace decant::store {

/// Of the searches and chats of one span of time.
struct QualityFigures {
    std::uint64_t searches = 0;
    std::uint64_t feedbacks = 0;
    std::optional<double> error_rate = {};      ///< 0 to 1
    std::optional<double> degraded = {};        ///< of those that did not fail, the share that lacked a leg
    std::optional<double> without_result = {};  ///< share of those that did not fail
    std::optional<double> p95_ms = {};          ///< until the products were found, where they were
    std::optional<double> mean_similarity = {};
    std::optional<double> feedback = {};  ///< mean score
};

/// One look at the index and the catalog, as decant.quality_probes keeps it.
struct QualityProbe {
    std::string measured_at = {};       ///< UTC, ISO 8601
    double age_seconds = 0;             ///< by now
    std::optional<double> recall = {};  ///< none: no product has a vector
    std::uint64_t queries = 0;
    std::uint64_t products = 0;
    double coverage = 1;  ///< shares
    double stale = 0;
    double milliseconds = 0;
};

/// Of the range, and of the one as long before it, which knows nothing where half of its events or more are not kept
/// any more.
struct QualityPair {
    QualityFigures now;
    QualityFigures before;
};
QualityPair read_quality_figures(pg::Connection& db, MetricsRange range);

void store_probe(pg::Connection& db, const QualityProbe& probe);
/// The newest one, or the newest of those that were there when the range began.
std::optional<QualityProbe> newest_probe(pg::Connection& db, std::optional<MetricsRange> older_than = {});
/// The newest first.
std::vector<QualityProbe> read_probes(pg::Connection& db, std::uint64_t limit);
/// Removes those older than 400 days; their number.
std::uint64_t prune_probes(pg::Connection& db);

/// A search that failed something.
struct FailedSearch {
    std::string at;  ///< UTC, ISO 8601
    std::string kind;
    std::string run_id;    ///< the answer's X-Request-Id; empty: none
    std::string strategy;  ///< that answered; empty: none
    double milliseconds = 0;
    std::uint64_t results = 0;
    std::optional<double> similarity = {};
    std::optional<double> feedback = {};
    bool degraded = false;
    std::string error = {};     ///< code; empty: none
    std::string question = {};  ///< empty: not kept
    std::string trace_id = {};  ///< empty: none is kept
};

/// What a single search must not be.
struct SearchLimits {
    MetricsRange range = MetricsRange::day;
    double most_milliseconds = 0;
    std::optional<double> least_similarity = {};  ///< none: not judged
    double least_feedback = 0;
    std::uint64_t limit = 50;
};
/// The newest first.
std::vector<FailedSearch> read_failed_searches(pg::Connection& db, const SearchLimits& limits);

}  // namespace decant::store
