#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace decant::quality {

/// One hit of a query, without a threshold.
struct ScoredHit {
    double similarity = 0;
    bool is_relevant = false;  ///< what nobody judged is not
    bool is_judged = false;
};

/// What was found for one query, the nearest first.
struct ScoredQuery {
    std::vector<ScoredHit> hits = {};
    bool is_judged = false;
    bool has_nothing_to_find = false;
};

/// What a threshold does to the hits of judged queries. Shares are of the hits without a threshold.
struct ThresholdEffect {
    double threshold = 0;
    double relevant_kept = 0;
    double irrelevant_kept = 0;
    double f1 = 0;  ///< of "is relevant", over all hits: precision of those kept, recall of the relevant ones
    std::optional<double> rightly_empty = {};  ///< share of the queries with nothing to find that find nothing
};

/// What a threshold does where nobody judged.
struct UnjudgedEffect {
    double threshold = 0;
    double answered = 0;       ///< share of the queries that keep a hit
    double hits = 0;           ///< kept a query, in the mean
    double chance_passes = 0;  ///< share of the products drawn by chance that would pass
};

ThresholdEffect effect_of(std::span<const ScoredQuery> queries, double threshold);

/// Share of the hits of judged queries that somebody judged; those of queries with nothing to find are.
double judged_share(std::span<const ScoredQuery> queries);

/// `chance` are similarities of the queries to products drawn by chance.
UnjudgedEffect unjudged_effect_of(std::span<const ScoredQuery> queries, std::span<const double> chance,
                                  double threshold);

/// Each of two decimals; the lowest of several that are as good. None where no judged query found anything relevant.
struct Proposals {
    std::optional<double> best_f1 = {};
    std::optional<double> keeping = {};  ///< the highest that keeps `keep` of the relevant hits
};
Proposals propose(std::span<const ScoredQuery> queries, double keep);

/// Without judgments: what nine of ten queries' best hit reaches, if they have something to find. None without hits.
std::optional<double> propose_unjudged(std::span<const ScoredQuery> queries);

/// About ten thresholds in equal steps around where the hits lie, `also` among them, in order.
std::vector<double> thresholds_to_show(std::span<const ScoredQuery> queries, std::span<const double> also);

}  // namespace decant::quality
