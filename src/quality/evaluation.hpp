#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quality/judged_set.hpp"
#include "quality/significance.hpp"
#include "search/hit.hpp"

namespace decant::quality {

/// What a strategy answered to one query.
struct Answered {
    std::vector<search::Hit> hits = {};
    bool is_degraded = false;  ///< another leg than the strategy's own answered
};

/// Asks `strategy` the query with the index `query`.
using Ask = std::function<Answered(std::size_t query, const std::string& strategy)>;
/// Told how many answers of how many there are; false stops.
using Progressed = std::function<bool(std::size_t done, std::size_t total)>;

struct EvaluationOptions {
    std::vector<std::string> strategies;
    std::size_t cut = 10;  ///< the k of nDCG@k
    int relevant = 1;      ///< least grade that counts for recall and reciprocal rank, as of trec_eval
};

struct Scores {
    double ndcg = 0;
    std::optional<double> recall = {};           ///< none where no product is graded high enough
    std::optional<double> reciprocal_rank = {};  ///< the same
    std::optional<double> judged = {};           ///< the share of the hits that somebody judged
};

/// One query put to one strategy.
struct Outcome {
    std::vector<search::Hit> hits;
    std::chrono::system_clock::time_point start = {};
    double milliseconds = 0;
    bool is_degraded = false;
    std::optional<Scores> scores = {};  ///< of queries that have something to find
};

struct StrategyRun {
    std::string strategy;
    std::vector<Outcome> outcomes;  ///< one a query
};

struct Evaluation {
    EvaluationOptions options;
    JudgedSet set;
    std::vector<StrategyRun> runs;  ///< one a strategy
};

/// Puts every query to every strategy, the strategies in turns so that none gets the cache warm from the others, after
/// one query that is not counted. Throws what `ask` throws, and Error{cancelled}.
Evaluation evaluate(JudgedSet set, const EvaluationOptions& options, const Ask& ask, const Progressed& progressed);

/// What one answer adds to the means of a Summary, by the keys of metric_rows().
std::vector<std::pair<std::string_view, double>> values_of(const JudgedQuery& judged, const Outcome& outcome);

/// One strategy over the queries of a kind, or all.
struct Summary {
    std::size_t queries = 0;
    std::size_t scored = 0;  ///< those with something to find, over which the first three are means
    std::optional<double> ndcg = {};
    std::optional<double> recall = {};
    std::optional<double> reciprocal_rank = {};
    std::optional<double> judged = {};          ///< share of the hits that somebody judged
    std::optional<double> similarity = {};      ///< mean over queries of the mean of their hits
    std::optional<double> without_result = {};  ///< share of the queries that may have something to find
    std::size_t nothing_to_find = 0;
    std::optional<double> rightly_empty = {};  ///< share of the queries with nothing to find
    std::size_t degraded = 0;
    double p50 = 0;  ///< milliseconds
    double p95 = 0;
    double p99 = 0;
};

Summary summarise(const Evaluation& evaluation, const StrategyRun& run, const std::optional<std::string>& kind = {});

/// In the order of their first query; "" is that of queries without.
std::vector<std::string> kinds_of(const JudgedSet& set);

/// nDCG of `run` against the first strategy's, query by query.
Difference difference_to_first(const Evaluation& evaluation, const StrategyRun& run);

}  // namespace decant::quality
