#include "quality/evaluation.hpp"

#include <algorithm>
#include <chrono>

#include "core/error.hpp"
#include "quality/metrics.hpp"

namespace decant::quality {
namespace {

using Clock = std::chrono::steady_clock;

Outcome ask_timed(const Ask& ask, std::size_t query, const std::string& strategy) {
    const Clock::time_point start = Clock::now();
    Answered answered = ask(query, strategy);
    const std::chrono::duration<double, std::milli> span = Clock::now() - start;
    return {.hits = std::move(answered.hits), .milliseconds = span.count(), .is_degraded = answered.is_degraded};
}

std::optional<Scores> scores_of(const JudgedQuery& judged, const std::vector<search::Hit>& hits,
                                const EvaluationOptions& options) {
    if (!judged.has_something_to_find()) return std::nullopt;
    std::vector<int> found;
    for (const search::Hit& hit : hits)
        found.push_back(judged.grade_of(hit.id));
    std::vector<int> grades;
    for (const JudgedProduct& product : judged.products)
        grades.push_back(product.grade);
    Scores scores{.ndcg = ndcg(found, grades, options.cut)};
    if (grades.front() >= options.relevant) {
        scores.recall = recall(found, grades, options.cut, options.relevant);
        scores.reciprocal_rank = reciprocal_rank(found, options.cut, options.relevant);
    }
    const auto known = std::ranges::count_if(hits, [&](const auto& hit) { return judged.has_judged(hit.id); });
    if (!hits.empty()) scores.judged = static_cast<double>(known) / static_cast<double>(hits.size());
    return scores;
}

std::optional<double> mean_similarity(const std::vector<search::Hit>& hits) {
    std::vector<double> similarities;
    for (const search::Hit& hit : hits) {
        if (hit.similarity) similarities.push_back(*hit.similarity);
    }
    return mean(similarities);
}

/// What a summary is made of.
struct Series {
    std::vector<double> ndcg, recall, reciprocal_rank, judged, similarity, without_result, rightly_empty, milliseconds;

    void add(const JudgedQuery& judged_query, const Outcome& outcome) {
        milliseconds.push_back(outcome.milliseconds);
        const double is_empty = outcome.hits.empty() ? 1 : 0;
        (judged_query.has_nothing_to_find() ? rightly_empty : without_result).push_back(is_empty);
        if (const auto value = mean_similarity(outcome.hits)) similarity.push_back(*value);
        if (!outcome.scores) return;
        ndcg.push_back(outcome.scores->ndcg);
        if (outcome.scores->judged) judged.push_back(*outcome.scores->judged);
        if (outcome.scores->recall) recall.push_back(*outcome.scores->recall);
        if (outcome.scores->reciprocal_rank) reciprocal_rank.push_back(*outcome.scores->reciprocal_rank);
    }
};

}  // namespace

Evaluation evaluate(JudgedSet set, const EvaluationOptions& options, const Ask& ask, const Progressed& progressed) {
    Evaluation evaluation{.options = options, .set = std::move(set), .runs = {}};
    const std::vector<JudgedQuery>& queries = evaluation.set.queries;
    for (const std::string& strategy : options.strategies) {
        evaluation.runs.push_back({.strategy = strategy, .outcomes = std::vector<Outcome>(queries.size())});
        if (!queries.empty()) ask(0, strategy);
    }
    const std::size_t strategies = evaluation.runs.size();
    for (std::size_t query = 0; query < queries.size(); ++query) {
        for (std::size_t turn = 0; turn < strategies; ++turn) {
            StrategyRun& run = evaluation.runs[(query + turn) % strategies];
            Outcome& outcome = run.outcomes[query] = ask_timed(ask, query, run.strategy);
            outcome.scores = scores_of(queries[query], outcome.hits, options);
        }
        if (!progressed((query + 1) * strategies, queries.size() * strategies))
            throw Error{ErrorCode::cancelled, "The evaluation was interrupted", "Run it again: nothing was kept."};
    }
    return evaluation;
}

Summary summarise(const Evaluation& evaluation, const StrategyRun& run, const std::optional<std::string>& kind) {
    Series series;
    Summary summary;
    for (std::size_t i = 0; i < run.outcomes.size(); ++i) {
        const JudgedQuery& judged = evaluation.set.queries[i];
        if (kind && judged.query.kind != *kind) continue;
        series.add(judged, run.outcomes[i]);
        ++summary.queries;
        if (run.outcomes[i].is_degraded) ++summary.degraded;
    }
    summary.scored = series.ndcg.size();
    summary.ndcg = mean(series.ndcg);
    summary.recall = mean(series.recall);
    summary.reciprocal_rank = mean(series.reciprocal_rank);
    summary.judged = mean(series.judged);
    summary.similarity = mean(series.similarity);
    summary.without_result = mean(series.without_result);
    summary.nothing_to_find = series.rightly_empty.size();
    summary.rightly_empty = mean(series.rightly_empty);
    summary.p50 = percentile(series.milliseconds, 0.5);
    summary.p95 = percentile(series.milliseconds, 0.95);
    summary.p99 = percentile(series.milliseconds, 0.99);
    return summary;
}

std::vector<std::string> kinds_of(const JudgedSet& set) {
    std::vector<std::string> kinds;
    for (const JudgedQuery& judged : set.queries) {
        if (std::ranges::find(kinds, judged.query.kind) == kinds.end()) kinds.push_back(judged.query.kind);
    }
    return kinds;
}

Difference difference_to_first(const Evaluation& evaluation, const StrategyRun& run) {
    std::vector<double> first;
    std::vector<double> other;
    for (std::size_t i = 0; i < run.outcomes.size(); ++i) {
        if (!run.outcomes[i].scores) continue;
        first.push_back(evaluation.runs.front().outcomes[i].scores->ndcg);
        other.push_back(run.outcomes[i].scores->ndcg);
    }
    return compare(first, other);
}

}  // namespace decant::quality
