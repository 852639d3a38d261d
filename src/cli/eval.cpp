#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <exception>

#include "cli/commands.hpp"
#include "cli/eval_upload.hpp"
#include "cli/judged_options.hpp"
#include "cli/product_search.hpp"
#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/json.hpp"
#include "core/progress.hpp"
#include "core/table.hpp"
#include "core/utf8.hpp"
#include "core/write_file.hpp"
#include "quality/evaluation.hpp"
#include "quality/metrics.hpp"
#include "quality/query_vectors.hpp"
#include "quality/report.hpp"

namespace decant::cli {
namespace {

using quality::Evaluation;
using search::Strategy;
using search::strategy_names;

std::string shown(const std::optional<double>& value, int decimals) {
    return value ? fmt::format("{:.{}f}", *value, decimals) : "-";
}

class Eval final : public Command {
public:
    Eval()
        : Command("eval", "Measure how good the answers to judged queries are, strategies side by side",
                  {"decant eval --queries queries.jsonl --qrels qrels.txt --strategies pgvector,keyword,fusion",
                   "decant eval --queries queries.jsonl --qrels qrels.txt --split work --html report.html",
                   "decant eval --queries queries.jsonl --qrels qrels.txt --strategies pgvector,fusion --langsmith"}) {}
    void declare(Options& options) override {
        judged_.declare(options);
        options.text("--strategies", strategies_, "Which are compared with the first (default: the settings' one)");
        options.number("--limit", limit_, "Answers a query, the 10 of nDCG@10 (default: 10)");
        options.flag("--literal", literal_, "Search for all of a query; take nothing in it for a price or a category");
        options.text("--html", html_, "Write a report with plots to this file, which needs no other");
        options.flag("--langsmith", uploads_,
                     "Show LangSmith all of it: a dataset, and an experiment for each strategy");
        options.text("--dataset", dataset_, "The dataset's name there (default: that of the file of queries)");
        options.flag("--per-query", per_query_, "Show every query too");
        declare_embedder(options);
    }

    int run(const Context& context) override {
        catch_interrupts();
        const search::EngineOptions engine_options = search::engine_options(context.settings);
        const quality::EvaluationOptions options = options_for(engine_options);
        const auto langsmith = uploads_ ? std::optional{upload_setup(context.settings)} : std::nullopt;
        ProductSearch search{context.settings};
        pg::Connection& db = search.db();
        quality::JudgedSet set = judged_.read(db);
        const bool embeds = options.strategies != std::vector{std::string{strategy_names[Strategy::keyword]}};
        const embed::Embedder* embedder = embeds ? &search.embedder() : nullptr;
        const quality::QueryVectors vectors =
            embeds ? embed_queries(search.embedder(), asked_texts(set, search.engine())) : quality::QueryVectors{};
        const Evaluation evaluation = evaluate(std::move(set), options, search.engine(), vectors);
        warn_of_gaps(evaluation.set);
        if (!context.json) print_text(evaluation);
        if (html_) {
            write_file(*html_, html_of(evaluation, facts(db, embedder, vectors)));
            if (!context.json) fmt::print("\nThe report is in {}\n", printable(*html_));
        }
        const EvaluationNames names{.dataset = dataset_.value_or(dataset_of(judged_.queries())),
                                    .queries = judged_.queries(),
                                    .model = embedder == nullptr ? "" : embedder->model().name};
        const auto send = [&] { return upload_with_meter(comparison_of(evaluation, names), *langsmith); };
        if (context.json) {
            json::object out = json_of(evaluation, embedder, vectors);
            std::exception_ptr failure;
            try {
                if (langsmith) out["langsmith"] = cli::json_of(send(), names.dataset);
            } catch (const Error&) {
                failure = std::current_exception();
            }
            fmt::print("{}\n", json_text(out));
            if (failure) std::rethrow_exception(failure);
        } else if (langsmith) {
            std::fflush(stdout);  // what was measured is worth having, whatever LangSmith says
            fmt::print("\n{}", text_of(send(), names.dataset));
        }
        return 0;
    }

private:
    quality::EvaluationOptions options_for(const search::EngineOptions& engine) const {
        quality::EvaluationOptions options{
            .strategies = {},
            .cut = in_range({.option = "--limit", .low = 1, .high = 1'000, .unset = 10}, limit_),
            .relevant = judged_.relevant()};
        options.strategies = strategies_ ? parse_list("--strategies", *strategies_)
                                         : std::vector{std::string{strategy_names[engine.strategy]}};
        for (std::size_t i = 0; i < options.strategies.size(); ++i) {
            parse_strategy(options.strategies[i]);
            if (std::ranges::count(options.strategies, options.strategies[i]) == 1) continue;
            throw Error{ErrorCode::request_malformed, fmt::format("Strategy {} is named twice", options.strategies[i]),
                        "Name each once."};
        }
        return options;
    }

    /// The queries with what a search embeds of them.
    quality::JudgedSet asked_texts(quality::JudgedSet set, search::Engine& engine) const {
        for (quality::JudgedQuery& judged : set.queries)
            if (!literal_) judged.query.text = engine.question_text(judged.query.text);
        return set;
    }

    Evaluation evaluate(quality::JudgedSet set, const quality::EvaluationOptions& options, search::Engine& engine,
                        const quality::QueryVectors& vectors) const {
        std::vector<std::string> texts;
        for (const quality::JudgedQuery& judged : set.queries)
            texts.push_back(judged.query.text);
        const auto ask = [&](std::size_t query, const std::string& strategy) {
            search::Request request;
            request.text = texts[query];
            request.limit = options.cut;
            request.literal = literal_;
            request.strategy = parse_strategy(strategy);
            if (!vectors.vectors.empty()) request.vector = vectors.vectors[query];
            search::Answer answer = engine.search(request);
            return quality::Answered{.hits = std::move(answer.hits), .is_degraded = answer.degraded};
        };
        Progress meter{"evaluate", "answers"};
        return quality::evaluate(std::move(set), options, ask, [&](std::size_t done, std::size_t total) {
            meter.update(done, total);
            return !interrupted();
        });
    }

    std::vector<std::pair<std::string, std::string>> facts(const pg::Connection& db, const embed::Embedder* embedder,
                                                           const quality::QueryVectors& vectors) const {
        const auto today = std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
        const std::chrono::year_month_day date{today};
        std::vector<std::pair<std::string, std::string>> out{
            {"date", fmt::format("{}-{:02}-{:02}", int{date.year()}, unsigned{date.month()}, unsigned{date.day()})},
            {"database", db.database()},
            {"file of queries", judged_.queries()},
            {"file of judgments", judged_.has_qrels() ? judged_.qrels() : "none"},
            {"split", judged_.split().empty() ? "all" : judged_.split()}};
        if (embedder != nullptr) {
            out.emplace_back("model", embedder->model().name);
            out.emplace_back("embedding a query",
                             fmt::format("{:.1f} ms in the median", quality::percentile(vectors.milliseconds, 0.5)));
        }
        return out;
    }

    json::object json_of(const Evaluation& evaluation, const embed::Embedder* embedder,
                         const quality::QueryVectors& vectors) const {
        json::object out = quality::json_of(evaluation, per_query_);
        if (embedder != nullptr) {
            out["model"] = embedder->model().name;
            out["embedding_p50_milliseconds"] = quality::percentile(vectors.milliseconds, 0.5);
        }
        return out;
    }

    void print_text(const Evaluation& evaluation) const {
        const quality::Coverage coverage = coverage_of(evaluation.set);
        fmt::print("{} queries: {} with something to find, {} with nothing to find, {} not judged; {} judgments\n\n",
                   coverage.queries, coverage.something_to_find, coverage.nothing_to_find,
                   coverage.unjudged_queries.size(), coverage.judgments);
        print_metrics(evaluation);
        print_kinds(evaluation);
        print_differences(evaluation);
        if (per_query_) print_queries(evaluation);
    }

    static std::vector<Table::Column> columns(const Evaluation& evaluation, std::vector<Table::Column> first) {
        for (const quality::StrategyRun& run : evaluation.runs)
            first.push_back({run.strategy, Table::Align::right});
        return first;
    }

    static void print_metrics(const Evaluation& evaluation) {
        Table table{columns(evaluation, {{"metric"}})};
        for (const quality::MetricRow& row : metric_rows(evaluation.options)) {
            std::vector<std::string> cells{row.name};
            for (const quality::StrategyRun& run : evaluation.runs)
                cells.push_back(shown(row.value(summarise(evaluation, run)), row.decimals));
            table.add_row(std::move(cells));
        }
        fmt::print("{}", table.text());
    }

    static void print_kinds(const Evaluation& evaluation) {
        const std::vector<std::string> kinds = kinds_of(evaluation.set);
        if (kinds.size() < 2) return;
        const std::string metric = metric_rows(evaluation.options).front().name;
        Table table{columns(evaluation, {{metric + " by kind"}, {"queries", Table::Align::right}})};
        for (const std::string& kind : kinds) {
            std::vector<std::string> cells{kind.empty() ? "(no kind)" : kind, ""};
            for (const quality::StrategyRun& run : evaluation.runs) {
                const quality::Summary summary = summarise(evaluation, run, kind);
                cells[1] = std::to_string(summary.queries);
                cells.push_back(summary.ndcg || !summary.rightly_empty
                                    ? shown(summary.ndcg, 3)
                                    : fmt::format("{:.3f} empty", *summary.rightly_empty));
            }
            table.add_row(std::move(cells));
        }
        fmt::print("\n{}", table.text());
    }

    static void print_differences(const Evaluation& evaluation) {
        if (evaluation.runs.size() < 2) return;
        constexpr auto right = Table::Align::right;
        Table table{{{fmt::format("against {}", evaluation.runs.front().strategy)},
                     {metric_rows(evaluation.options).front().name, right},
                     {"95 % interval", right},
                     {"p", right},
                     {"queries", right}}};
        for (std::size_t i = 1; i < evaluation.runs.size(); ++i) {
            const quality::Difference difference = difference_to_first(evaluation, evaluation.runs[i]);
            table.add_row({evaluation.runs[i].strategy, fmt::format("{:+.3f}", difference.mean),
                           fmt::format("{:+.3f} to {:+.3f}", difference.low, difference.high),
                           fmt::format("{:.4f}", difference.p), std::to_string(difference.pairs)});
        }
        fmt::print("\n{}", table.text());
    }

    static void print_queries(const Evaluation& evaluation) {
        Table table{columns(evaluation, {{"query"}, {"kind"}, {"text"}})};
        for (std::size_t i = 0; i < evaluation.set.queries.size(); ++i) {
            const quality::JudgedQuery& judged = evaluation.set.queries[i];
            std::vector<std::string> cells{judged.query.id, judged.query.kind,
                                           std::string{first_characters(judged.query.text, 40)}};
            for (const quality::StrategyRun& run : evaluation.runs) {
                const quality::Outcome& outcome = run.outcomes[i];
                cells.push_back(outcome.scores ? shown(outcome.scores->ndcg, 3)
                                               : fmt::format("{} found", outcome.hits.size()));
            }
            table.add_row(std::move(cells));
        }
        fmt::print("\n{}", table.text());
    }

    JudgedOptions judged_;
    std::optional<std::string> strategies_;
    std::optional<std::uint64_t> limit_;
    std::optional<std::string> html_;
    std::optional<std::string> dataset_;
    bool uploads_ = false;
    bool literal_ = false;
    bool per_query_ = false;
};

}  // namespace

Commands make_eval() {
    return commands_of<Eval>();
}

}  // namespace decant::cli
