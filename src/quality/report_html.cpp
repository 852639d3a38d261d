#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "quality/detail/bar_chart.hpp"
#include "quality/report.hpp"

namespace decant::quality {
namespace {

constexpr std::size_t most_worst = 20;

constexpr std::string_view page_start = R"html(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>decant: search evaluation</title><style>
:root { color-scheme: light dark; }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 1000px; margin: 2em auto; padding: 0 1em; }
table { border-collapse: collapse; margin: .6em 0; }
th, td { padding: .25em .7em; border-bottom: 1px solid #8884; text-align: left; vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
small, .quiet { opacity: .7; }
svg { max-width: 720px; width: 100%; font: 12px system-ui, sans-serif; }
svg text { fill: currentColor; }
summary { cursor: pointer; padding: .2em 0; }
.best { font-weight: 600; }
</style></head><body>
<h1>Search evaluation</h1>
)html";

std::string shown(const std::optional<double>& value, int decimals) {
    return value ? fmt::format("{:.{}f}", *value, decimals) : "–";
}

class Page {
public:
    explicit Page(const Evaluation& evaluation) : evaluation_(evaluation), rows_(metric_rows(evaluation.options)) {
        for (const StrategyRun& run : evaluation.runs) {
            names_.push_back(run.strategy);
            summaries_.push_back(summarise(evaluation, run));
        }
    }

    std::string text(const std::vector<std::pair<std::string, std::string>>& facts) {
        out_ = page_start;
        add_facts(facts);
        add_metrics();
        out_ += svg_of(quality_chart());
        add_differences();
        out_ += "<h2>Latency, in milliseconds</h2>\n" + svg_of(latency_chart());
        add_kinds();
        out_ += "<h2>The worst queries</h2>\n";
        for (const StrategyRun& run : evaluation_.runs)
            add_worst(run);
        return std::move(out_) + "</body></html>\n";
    }

private:
    template <typename... Arguments>
    void add(fmt::format_string<Arguments...> form, Arguments&&... arguments) {
        fmt::format_to(std::back_inserter(out_), form, std::forward<Arguments>(arguments)...);
    }

    void add_facts(const std::vector<std::pair<std::string, std::string>>& facts) {
        out_ += "<table>\n";
        for (const auto& [name, value] : facts)
            add("<tr><th>{}</th><td>{}</td></tr>\n", escape_html(name), escape_html(value));
        const Coverage coverage = coverage_of(evaluation_.set);
        add("<tr><th>queries</th><td>{}: {} with something to find, {} with nothing to find, {} not judged</td></tr>\n"
            "<tr><th>judgments</th><td>{}</td></tr>\n</table>\n",
            coverage.queries, coverage.something_to_find, coverage.nothing_to_find, coverage.unjudged_queries.size(),
            coverage.judgments);
        for (const std::string& remark : remarks_of(evaluation_.set))
            add("<p>{}.</p>\n", escape_html(remark));
    }

    void add_header(std::string_view first) {
        add("<table><tr><th>{}</th>", first);
        for (const std::string& name : names_)
            add("<th class=n>{}</th>", escape_html(name));
    }

    void add_metrics() {
        out_ += "<h2>Metrics</h2>\n";
        add_header("");
        out_ += "<th></th></tr>\n";
        for (const MetricRow& row : rows_) {
            add("<tr><th>{}</th>", escape_html(row.name));
            for (const Summary& summary : summaries_)
                add("<td class=n>{}</td>", shown(row.value(summary), row.decimals));
            add("<td><small>{}</small></td></tr>\n", escape_html(row.reads));
        }
        out_ += "</table>\n";
    }

    BarChart quality_chart() const {
        BarChart chart{.title = "Metrics of the strategies", .series = names_, .groups = {}, .most = 1};
        for (const MetricRow& row : rows_) {
            if (row.key != "ndcg" && row.key != "recall" && row.key != "mrr" && row.key != "rightly_empty") continue;
            BarChart::Group& group = chart.groups.emplace_back(BarChart::Group{.label = row.name, .values = {}});
            for (const Summary& summary : summaries_)
                group.values.push_back(row.value(summary));
        }
        return chart;
    }

    BarChart latency_chart() const {
        BarChart chart{.title = "Latency of the strategies", .series = names_, .groups = {}, .most = {}, .decimals = 2};
        for (const auto& [label, value] :
             {std::pair{"p50", &Summary::p50}, {"p95", &Summary::p95}, {"p99", &Summary::p99}}) {
            BarChart::Group& group = chart.groups.emplace_back(BarChart::Group{.label = label, .values = {}});
            for (const Summary& summary : summaries_)
                group.values.emplace_back(summary.*value);
        }
        return chart;
    }

    void add_differences() {
        if (evaluation_.runs.size() < 2) return;
        add("<h2>nDCG against {}</h2>\n<table><tr><th></th><th class=n>difference</th><th class=n>95 % interval</th>"
            "<th class=n>p</th><th class=n>queries</th></tr>\n",
            escape_html(names_.front()));
        for (std::size_t i = 1; i < evaluation_.runs.size(); ++i) {
            const Difference difference = difference_to_first(evaluation_, evaluation_.runs[i]);
            add("<tr><th>{}</th><td class=n>{:+.3f}</td><td class=n>{:+.3f} to {:+.3f}</td><td class=n>{:.4f}</td>"
                "<td class=n>{}</td></tr>\n",
                escape_html(names_[i]), difference.mean, difference.low, difference.high, difference.p,
                difference.pairs);
        }
        out_ +=
            "</table>\n<p class=quiet>Paired randomisation test, two-sided, and bootstrap, 10,000 draws each; p is of "
            "each difference alone, not corrected for their number.</p>\n";
    }

    void add_kinds() {
        const std::vector<std::string> kinds = kinds_of(evaluation_.set);
        add("<h2>{} by kind of query</h2>\n", escape_html(rows_.front().name));
        BarChart chart{.title = "nDCG by kind of query", .series = names_, .groups = {}, .most = 1};
        for (const std::string& kind : kinds) {
            BarChart::Group group{.label = kind.empty() ? "(no kind)" : kind, .values = {}};
            std::size_t scored = 0;
            for (const StrategyRun& run : evaluation_.runs) {
                const Summary summary = summarise(evaluation_, run, kind);
                group.values.push_back(summary.ndcg);
                scored = summary.scored;
            }
            if (scored == 0) continue;
            group.label += fmt::format(" ({})", scored);
            chart.groups.push_back(std::move(group));
        }
        out_ += svg_of(chart);
    }

    /// Queries by their nDCG; those with nothing to find that found something come first.
    void add_worst(const StrategyRun& run) {
        std::vector<std::pair<double, std::size_t>> worst;
        for (std::size_t i = 0; i < run.outcomes.size(); ++i) {
            const Outcome& outcome = run.outcomes[i];
            const bool is_wrong = evaluation_.set.queries[i].has_nothing_to_find() && !outcome.hits.empty();
            if (is_wrong) worst.emplace_back(-1, i);
            if (outcome.scores && outcome.scores->ndcg < 1) worst.emplace_back(outcome.scores->ndcg, i);
        }
        std::ranges::sort(worst);
        add("<h3>{}</h3>\n<p class=quiet>{} of {} queries were not answered in the best way.</p>\n",
            escape_html(run.strategy), worst.size(), run.outcomes.size());
        if (worst.size() > most_worst) worst.resize(most_worst);
        for (const auto& [ndcg, query] : worst)
            add_query(evaluation_.set.queries[query], run.outcomes[query]);
    }

    void add_query(const JudgedQuery& judged, const Outcome& outcome) {
        const std::string result = outcome.scores ? fmt::format("nDCG {:.3f}", outcome.scores->ndcg)
                                                  : "nothing to find, yet something was found";
        add("<details><summary>{} <small>{} · {} · {}</small></summary>\n", escape_html(judged.query.text),
            escape_html(judged.query.id), escape_html(judged.query.kind), result);
        out_ +=
            "<table><tr><th class=n>rank</th><th>found</th><th class=n>similarity</th><th class=n>grade</th></tr>\n";
        for (std::size_t i = 0; i < outcome.hits.size(); ++i) {
            const search::Hit& hit = outcome.hits[i];
            add("<tr><td class=n>{}</td><td>{} <small>{}</small></td><td class=n>{}</td><td class=n>{}</td></tr>\n",
                i + 1, escape_html(hit.name), escape_html(hit.sku.empty() ? hit.id : hit.sku), shown(hit.similarity, 3),
                judged.has_judged(hit.id) ? std::to_string(judged.grade_of(hit.id)) : "not judged");
        }
        out_ += "</table>\n";
        add_judged(judged, outcome);
        out_ += "</details>\n";
    }

    void add_judged(const JudgedQuery& judged, const Outcome& outcome) {
        if (!judged.has_something_to_find()) return;
        out_ += "<table><tr><th class=n>grade</th><th>judged to be of use</th><th class=n>found at</th></tr>\n";
        for (const JudgedProduct& product : judged.products) {
            if (product.grade == 0) break;
            const auto hit = std::ranges::find(outcome.hits, product.product.id, &search::Hit::id);
            add("<tr><td class=n>{}</td><td>{} <small>{}</small></td><td class=n>{}</td></tr>\n", product.grade,
                escape_html(product.product.id.empty() ? "(not in the catalog)" : product.product.name),
                escape_html(product.docno),
                hit == outcome.hits.end() ? "–" : std::to_string(hit - outcome.hits.begin() + 1));
        }
        out_ += "</table>\n";
    }

    const Evaluation& evaluation_;
    std::vector<MetricRow> rows_;
    std::vector<std::string> names_;
    std::vector<Summary> summaries_;
    std::string out_;
};

}  // namespace

std::string html_of(const Evaluation& evaluation, const std::vector<std::pair<std::string, std::string>>& facts) {
    return Page{evaluation}.text(facts);
}

}  // namespace decant::quality
