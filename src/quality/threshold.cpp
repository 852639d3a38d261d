#include "quality/threshold.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "quality/metrics.hpp"

namespace decant::quality {
namespace {

double share(std::size_t part, std::size_t all) {
    return all == 0 ? 0 : static_cast<double>(part) / static_cast<double>(all);
}

double hundredths(int count) {
    return static_cast<double>(count) / 100;
}

/// The hits of judged queries.
struct Counts {
    std::size_t relevant = 0;
    std::size_t irrelevant = 0;
};

Counts count_hits(std::span<const ScoredQuery> queries, double threshold) {
    Counts counts;
    for (const ScoredQuery& query : queries) {
        if (!query.is_judged) continue;
        for (const ScoredHit& hit : query.hits) {
            if (hit.similarity >= threshold) ++(hit.is_relevant ? counts.relevant : counts.irrelevant);
        }
    }
    return counts;
}

/// The best hit of each query that has one.
std::vector<double> best_similarities(std::span<const ScoredQuery> queries) {
    std::vector<double> best;
    for (const ScoredQuery& query : queries) {
        if (!query.hits.empty()) best.push_back(query.hits.front().similarity);
    }
    return best;
}

bool is_empty_over(const ScoredQuery& query, double threshold) {
    return query.hits.empty() || query.hits.front().similarity < threshold;
}

}  // namespace

ThresholdEffect effect_of(std::span<const ScoredQuery> queries, double threshold) {
    const Counts all = count_hits(queries, -2);
    const Counts kept = count_hits(queries, threshold);
    ThresholdEffect effect{.threshold = threshold,
                           .relevant_kept = share(kept.relevant, all.relevant),
                           .irrelevant_kept = share(kept.irrelevant, all.irrelevant),
                           .f1 = share(2 * kept.relevant, kept.relevant + kept.irrelevant + all.relevant)};
    std::size_t nothing = 0;
    std::size_t empty = 0;
    for (const ScoredQuery& query : queries) {
        if (!query.has_nothing_to_find) continue;
        ++nothing;
        if (is_empty_over(query, threshold)) ++empty;
    }
    if (nothing > 0) effect.rightly_empty = share(empty, nothing);
    return effect;
}

double judged_share(std::span<const ScoredQuery> queries) {
    std::size_t hits = 0;
    std::size_t judged = 0;
    for (const ScoredQuery& query : queries) {
        if (!query.is_judged) continue;
        for (const ScoredHit& hit : query.hits) {
            ++hits;
            if (hit.is_judged || query.has_nothing_to_find) ++judged;
        }
    }
    return share(judged, hits);
}

UnjudgedEffect unjudged_effect_of(std::span<const ScoredQuery> queries, std::span<const double> chance,
                                  double threshold) {
    std::size_t answered = 0;
    std::size_t hits = 0;
    for (const ScoredQuery& query : queries) {
        if (!is_empty_over(query, threshold)) ++answered;
        hits += static_cast<std::size_t>(
            std::ranges::count_if(query.hits, [&](const ScoredHit& hit) { return hit.similarity >= threshold; }));
    }
    const auto passes = std::ranges::count_if(chance, [&](double similarity) { return similarity >= threshold; });
    return {.threshold = threshold,
            .answered = share(answered, queries.size()),
            .hits = share(hits, queries.size()),
            .chance_passes = share(static_cast<std::size_t>(passes), chance.size())};
}

Proposals propose(std::span<const ScoredQuery> queries, double keep) {
    Proposals proposals;
    if (count_hits(queries, -2).relevant == 0) return proposals;
    double best = -1;
    for (int step = -100; step <= 100; ++step) {
        const ThresholdEffect effect = effect_of(queries, hundredths(step));
        if (effect.f1 > best) {
            best = effect.f1;
            proposals.best_f1 = effect.threshold;
        }
        if (effect.relevant_kept >= keep) proposals.keeping = effect.threshold;
    }
    return proposals;
}

std::optional<double> propose_unjudged(std::span<const ScoredQuery> queries) {
    const std::vector<double> best = best_similarities(queries);
    if (best.empty()) return std::nullopt;
    return std::floor(percentile(best, 0.1) * 100) / 100;
}

std::vector<double> thresholds_to_show(std::span<const ScoredQuery> queries, std::span<const double> also) {
    std::vector<double> similarities;
    for (const ScoredQuery& query : queries) {
        for (const ScoredHit& hit : query.hits)
            similarities.push_back(hit.similarity);
    }
    std::set<int> steps;
    for (const double threshold : also)
        steps.insert(static_cast<int>(std::lround(threshold * 100)));
    if (!similarities.empty()) {
        const double low = percentile(similarities, 0.02) * 100;
        const double high = percentile(best_similarities(queries), 0.9) * 100;
        const int width = std::max(1, static_cast<int>(std::ceil((high - low) / 10)));
        for (int step = static_cast<int>(std::floor(low / width)) * width; step <= high; step += width)
            steps.insert(step);
    }
    std::vector<double> thresholds;
    for (const int step : steps)
        thresholds.push_back(hundredths(step));
    return thresholds;
}

}  // namespace decant::quality
