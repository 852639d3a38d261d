#include "quality/evaluation.hpp"

#include <algorithm>
#include <chrono>
#include <map>

#include "core/elapsed.hpp"
#include "core/error.hpp"
#include "quality/metrics.hpp"

namespace decant::quality {
namespace {

using Clock = std::chrono::steady_clock;

Outcome ask_timed(const Ask& ask, std::size_t query, const std::string& strategy) {
    const auto began = std::chrono::system_clock::now();
    const Clock::time_point start = Clock::now();
    Answered answered = ask(query, strategy);
    return {.hits = std::move(answered.hits),
            .start = began,
            .milliseconds = milliseconds_since(start),
            .is_degraded = answered.is_degraded};
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

std::vector<std::pair<std::string_view, double>> values_of(const JudgedQuery& judged, const Outcome& outcome) {
    std::vector<std::pair<std::string_view, double>> values;
    const auto add = [&](std::string_view key, const std::optional<double>& value) {
        if (value) values.emplace_back(key, *value);
    };
    if (outcome.scores) {
        add("ndcg", outcome.scores->ndcg);
        add("recall", outcome.scores->recall);
        add("mrr", outcome.scores->reciprocal_rank);
        add("judged", outcome.scores->judged);
    }
    add("mean_similarity", mean_similarity(outcome.hits));
    add(judged.has_nothing_to_find() ? "rightly_empty" : "without_result", outcome.hits.empty() ? 1 : 0);
    return values;
}

Summary summarise(const Evaluation& evaluation, const StrategyRun& run, const std::optional<std::string>& kind) {
    std::map<std::string_view, std::vector<double>> series;
    std::vector<double> milliseconds;
    Summary summary;
    for (std::size_t i = 0; i < run.outcomes.size(); ++i) {
        const JudgedQuery& judged = evaluation.set.queries[i];
        if (kind && judged.query.kind != *kind) continue;
        for (const auto& [key, value] : values_of(judged, run.outcomes[i]))
            series[key].push_back(value);
        milliseconds.push_back(run.outcomes[i].milliseconds);
        ++summary.queries;
        if (run.outcomes[i].is_degraded) ++summary.degraded;
    }
    summary.scored = series["ndcg"].size();
    summary.ndcg = mean(series["ndcg"]);
    summary.recall = mean(series["recall"]);
    summary.reciprocal_rank = mean(series["mrr"]);
    summary.judged = mean(series["judged"]);
    summary.similarity = mean(series["mean_similarity"]);
    summary.without_result = mean(series["without_result"]);
    summary.nothing_to_find = series["rightly_empty"].size();
    summary.rightly_empty = mean(series["rightly_empty"]);
    summary.p50 = percentile(milliseconds, 0.5);
    summary.p95 = percentile(milliseconds, 0.95);
    summary.p99 = percentile(milliseconds, 0.99);
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
