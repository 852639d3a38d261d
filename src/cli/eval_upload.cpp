#include "cli/eval_upload.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <filesystem>

#include "core/error.hpp"
#include "core/json_members.hpp"
#include "core/progress.hpp"
#include "core/utf8.hpp"
#include "quality/report.hpp"

namespace decant::cli {
namespace {

using quality::JudgedProduct;
using quality::JudgedQuery;
using quality::Outcome;

json::object judged_json(const JudgedProduct& product) {
    return {{"product", product.docno},
            {"product_id", text_or_null(product.product.id)},
            {"name", text_or_null(product.product.name)},
            {"grade", product.grade}};
}

trace::Example example_of(const JudgedQuery& judged) {
    json::array products;
    for (const JudgedProduct& product : judged.products)
        products.push_back(judged_json(product));
    return {.key = judged.query.id,
            .inputs = {{"query", judged.query.text}},
            .outputs = {{"products", std::move(products)}},
            .metadata = {{"query_id", judged.query.id},
                         {"kind", text_or_null(judged.query.kind)},
                         {"language", text_or_null(judged.query.language)}},
            .split = judged.query.split};
}

json::array documents_of(const Outcome& outcome, const JudgedQuery& judged) {
    json::array documents;
    for (const search::Hit& hit : outcome.hits) {
        const bool is_judged = judged.has_judged(hit.id);
        documents.push_back(
            json::object{{"page_content", hit.name},
                         {"metadata",
                          {{"product_id", hit.id},
                           {"sku", hit.sku},
                           {"similarity", or_null(hit.similarity)},
                           {"score", hit.score},
                           {"grade", is_judged ? json::value(judged.grade_of(hit.id)) : json::value(nullptr)}}},
                         {"type", "Document"}});
    }
    return documents;
}

trace::ExampleRun run_of(const JudgedQuery& judged, const Outcome& outcome, const std::string& strategy) {
    const auto start = std::chrono::floor<std::chrono::microseconds>(outcome.start);
    const std::chrono::duration<double, std::milli> span{outcome.milliseconds};
    trace::ExampleRun run{.span = {.name = "product_search",
                                   .type = trace::RunType::retriever,
                                   .start = start,
                                   .end = start + std::chrono::round<std::chrono::microseconds>(span),
                                   .inputs = {{"query", judged.query.text}},
                                   .outputs = {{"documents", documents_of(outcome, judged)}},
                                   .metadata = {{"strategy", strategy}, {"degraded", outcome.is_degraded}}}};
    for (const auto& [key, value] : quality::values_of(judged, outcome))
        run.scores.emplace_back(key, value);
    return run;
}

}  // namespace

trace::LangSmithSetup upload_setup(const Settings& settings) {
    trace::LangSmithSetup setup = trace::langsmith_accounts(settings, DECANT_VERSION).front();
    if (!setup.form.hides_inputs) return setup;
    throw Error{ErrorCode::config_invalid,
                "--langsmith would send the questions, and LANGSMITH_HIDE_INPUTS keeps them at home",
                "Leave --langsmith out, or set LANGSMITH_HIDE_INPUTS to false for this command."};
}

trace::Comparison comparison_of(const quality::Evaluation& evaluation, const EvaluationNames& names) {
    trace::Comparison comparison{
        .dataset = names.dataset,
        .description = fmt::format("Judged queries of {}, by decant eval", printable(names.queries)),
        .examples = {},
        .experiments = {}};
    for (const JudgedQuery& judged : evaluation.set.queries)
        comparison.examples.push_back(example_of(judged));
    for (const quality::StrategyRun& run : evaluation.runs) {
        trace::OfflineExperiment& experiment = comparison.experiments.emplace_back();
        experiment.name = run.strategy;
        experiment.metadata = {{"strategy", run.strategy},
                               {"model", text_or_null(names.model)},
                               {"cut", evaluation.options.cut},
                               {"relevant", evaluation.options.relevant},
                               {"decant", DECANT_VERSION}};
        for (std::size_t i = 0; i < run.outcomes.size(); ++i)
            experiment.runs.push_back(run_of(evaluation.set.queries[i], run.outcomes[i], run.strategy));
    }
    return comparison;
}

trace::UploadedComparison upload_with_meter(const trace::Comparison& comparison, const trace::LangSmithSetup& setup) {
    Progress meter{"LangSmith", "examples, runs and scores"};
    return trace::upload(comparison, setup, [&](std::size_t done, std::size_t total) { meter.update(done, total); });
}

std::string dataset_of(const std::string& queries_file) {
    const std::string stem = std::filesystem::path{queries_file}.stem().string();
    return fmt::format("decant {}", stem == "-" ? "queries" : stem);
}

json::object json_of(const trace::UploadedComparison& uploaded, const std::string& dataset) {
    return {{"dataset", dataset},
            {"dataset_id", uploaded.dataset_id},
            {"new_dataset", uploaded.is_new_dataset},
            {"new_examples", uploaded.new_examples},
            {"changed_examples", uploaded.changed_examples},
            {"experiments", json::array(uploaded.experiments.begin(), uploaded.experiments.end())}};
}

std::string text_of(const trace::UploadedComparison& uploaded, const std::string& dataset) {
    return fmt::format("LangSmith has it: {}dataset '{}' ({} new examples, {} changed), experiments {}\n",
                       uploaded.is_new_dataset ? "the new " : "", printable(dataset), uploaded.new_examples,
                       uploaded.changed_examples, fmt::join(uploaded.experiments, ", "));
}

}  // namespace decant::cli
