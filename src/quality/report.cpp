#include "quality/report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <span>

#include "core/json_members.hpp"

namespace decant::quality {
namespace {

constexpr std::size_t most_named = 5;

std::string some_of(const std::vector<std::string>& names) {
    const auto shown = std::span{names}.first(std::min(names.size(), most_named));
    return fmt::format("{}{}", fmt::join(shown, ", "), names.size() > most_named ? ", ..." : "");
}

json::object json_of(const Summary& summary, const std::vector<MetricRow>& rows) {
    json::object out{
        {"queries", summary.queries}, {"scored", summary.scored}, {"nothing_to_find", summary.nothing_to_find}};
    for (const MetricRow& row : rows)
        out[row.key] = or_null(row.value(summary));
    return out;
}

json::object json_of(const Difference& difference) {
    return {{"queries", difference.pairs},
            {"ndcg", difference.mean},
            {"low", difference.low},
            {"high", difference.high},
            {"p", difference.p}};
}

json::object json_of(const Outcome& outcome, const JudgedQuery& judged) {
    json::array hits;
    for (const search::Hit& hit : outcome.hits) {
        hits.push_back(
            json::object{{"id", hit.id},
                         {"sku", hit.sku},
                         {"similarity", or_null(hit.similarity)},
                         {"grade", judged.has_judged(hit.id) ? json::value(judged.grade_of(hit.id)) : nullptr}});
    }
    json::object out{{"ndcg", nullptr}, {"recall", nullptr}, {"reciprocal_rank", nullptr}};
    if (outcome.scores) {
        out["ndcg"] = outcome.scores->ndcg;
        out["recall"] = or_null(outcome.scores->recall);
        out["reciprocal_rank"] = or_null(outcome.scores->reciprocal_rank);
    }
    out["milliseconds"] = outcome.milliseconds;
    out["degraded"] = outcome.is_degraded;
    out["hits"] = std::move(hits);
    return out;
}

json::object json_of(const Coverage& coverage, const JudgedSet& set) {
    return {{"queries", coverage.queries},
            {"something_to_find", coverage.something_to_find},
            {"nothing_to_find", coverage.nothing_to_find},
            {"unjudged", json::array(coverage.unjudged_queries.begin(), coverage.unjudged_queries.end())},
            {"judgments", coverage.judgments},
            {"judgments_of_other_queries", set.judgments_of_other_queries},
            {"unknown_products", json::array(coverage.unknown_products.begin(), coverage.unknown_products.end())},
            {"inactive_products", json::array(coverage.inactive_products.begin(), coverage.inactive_products.end())}};
}

json::array per_query_json(const Evaluation& evaluation) {
    json::array queries;
    for (std::size_t i = 0; i < evaluation.set.queries.size(); ++i) {
        const JudgedQuery& judged = evaluation.set.queries[i];
        json::object strategies;
        for (const StrategyRun& run : evaluation.runs)
            strategies[run.strategy] = json_of(run.outcomes[i], judged);
        queries.push_back(json::object{{"id", judged.query.id},
                                       {"text", judged.query.text},
                                       {"kind", judged.query.kind},
                                       {"strategies", std::move(strategies)}});
    }
    return queries;
}

}  // namespace

std::vector<MetricRow> metric_rows(const EvaluationOptions& options) {
    const std::string at = fmt::format("@{}", options.cut);
    return {
        {.name = "nDCG" + at,
         .reads = "the best products first: gain 2^grade - 1, discount log2(rank + 1), over the best order there is",
         .key = "ndcg",
         .value = [](const Summary& summary) { return summary.ndcg; }},
        {.name = "recall" + at,
         .reads = fmt::format("share of the products of grade {} or more that was found", options.relevant),
         .key = "recall",
         .value = [](const Summary& summary) { return summary.recall; }},
        {.name = "MRR" + at,
         .reads = fmt::format("mean of 1 / rank of the first product of grade {} or more", options.relevant),
         .key = "mrr",
         .value = [](const Summary& summary) { return summary.reciprocal_rank; }},
        {.name = "judged",
         .reads = "share of the hits that somebody judged; the others count as of no use",
         .key = "judged",
         .value = [](const Summary& summary) { return summary.judged; }},
        {.name = "mean similarity",
         .reads = "of the hits that have one",
         .key = "mean_similarity",
         .value = [](const Summary& summary) { return summary.similarity; }},
        {.name = "without result",
         .reads = "share of the queries with something to find, or not judged, that found nothing",
         .key = "without_result",
         .value = [](const Summary& summary) { return summary.without_result; }},
        {.name = "rightly empty",
         .reads = "share of the queries with nothing to find that found nothing",
         .key = "rightly_empty",
         .value = [](const Summary& summary) { return summary.rightly_empty; }},
        {.name = "degraded",
         .reads = "answers in which a leg failed, so that others had to answer",
         .key = "degraded",
         .decimals = 0,
         .value = [](const Summary& summary) { return std::optional{static_cast<double>(summary.degraded)}; }},
        {.name = "p50 ms",
         .reads = "milliseconds of one search, its vector given",
         .key = "p50_milliseconds",
         .decimals = 2,
         .value = [](const Summary& summary) { return std::optional{summary.p50}; }},
        {.name = "p95 ms",
         .reads = "the same",
         .key = "p95_milliseconds",
         .decimals = 2,
         .value = [](const Summary& summary) { return std::optional{summary.p95}; }},
        {.name = "p99 ms",
         .reads = "the same",
         .key = "p99_milliseconds",
         .decimals = 2,
         .value = [](const Summary& summary) { return std::optional{summary.p99}; }},
    };
}

std::vector<std::string> remarks_of(const JudgedSet& set) {
    const Coverage coverage = coverage_of(set);
    std::vector<std::string> remarks;
    if (!coverage.unjudged_queries.empty()) {
        remarks.push_back(fmt::format("Not judged, so in no metric that needs judgments: {} of {} queries ({})",
                                      coverage.unjudged_queries.size(), coverage.queries,
                                      some_of(coverage.unjudged_queries)));
    }
    if (!coverage.unknown_products.empty()) {
        remarks.push_back(fmt::format("Judged products that the catalog does not have, counted as not found: {} ({})",
                                      coverage.unknown_products.size(), some_of(coverage.unknown_products)));
    }
    if (!coverage.inactive_products.empty()) {
        remarks.push_back(fmt::format("Judged products that are not active, counted as not found: {} ({})",
                                      coverage.inactive_products.size(), some_of(coverage.inactive_products)));
    }
    if (set.judgments_of_other_queries > 0)
        remarks.push_back(
            fmt::format("Judgments of queries that the file does not have: {}", set.judgments_of_other_queries));
    return remarks;
}

json::object json_of(const Evaluation& evaluation, bool per_query) {
    const std::vector<MetricRow> rows = metric_rows(evaluation.options);
    const std::vector<std::string> kinds = kinds_of(evaluation.set);
    json::object strategies;
    for (const StrategyRun& run : evaluation.runs) {
        json::object one = json_of(summarise(evaluation, run), rows);
        json::object by_kind;
        for (const std::string& kind : kinds)
            by_kind[kind] = json_of(summarise(evaluation, run, kind), rows);
        one["kinds"] = std::move(by_kind);
        if (&run != &evaluation.runs.front()) one["against_first"] = json_of(difference_to_first(evaluation, run));
        strategies[run.strategy] = std::move(one);
    }
    json::object out{{"cut", evaluation.options.cut},
                     {"relevant", evaluation.options.relevant},
                     {"set", json_of(coverage_of(evaluation.set), evaluation.set)},
                     {"strategies", std::move(strategies)}};
    if (per_query) out["per_query"] = per_query_json(evaluation);
    return out;
}

}  // namespace decant::quality
