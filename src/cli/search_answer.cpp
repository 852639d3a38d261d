#include "cli/search_answer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/table.hpp"
#include "core/utf8.hpp"
#include "search/answer_json.hpp"

namespace decant::cli {
namespace {

/// "scan", "passing" and the plan of pgvector's leg, where it was asked.
void add_explained(const search::Answer& answer, json::object& out) {
    if (answer.explained.plan.empty()) return;
    out["scan"] = search::scan_names[answer.explained.scan];
    out["ef_search"] = answer.explained.ef_search;
    out["passing"] = answer.explained.passing;
    out["rows"] = answer.explained.rows;
    out["plan"] = answer.explained.plan;
}

json::array json_of(const std::vector<search::LegReport>& reports) {
    json::array legs;
    for (const search::LegReport& report : reports) {
        json::object leg{
            {"leg", search::leg_names[report.leg]}, {"found", report.found}, {"milliseconds", report.milliseconds}};
        if (report.failure) leg["error"] = report.failure->happened();
        legs.emplace_back(std::move(leg));
    }
    return legs;
}

}  // namespace

json::array json_of(const std::vector<search::Hit>& hits) {
    json::array products;
    for (const search::Hit& hit : hits) {
        products.push_back(json::object{{"id", hit.id},
                                        {"sku", hit.sku.empty() ? nullptr : json::value(hit.sku)},
                                        {"name", hit.name},
                                        {"similarity", hit.similarity ? json::value(*hit.similarity) : nullptr},
                                        {"price", hit.price},
                                        {"stock", hit.stock},
                                        {"category", hit.category},
                                        {"brand", hit.brand}});
    }
    return products;
}

void print_understood(const search::Answer& answer) {
    std::string line;
    for (const search::Meaning& meaning : answer.understood.meanings) {
        line += fmt::format("{}{} {}", line.empty() ? "" : ", ", search::meaning_names[meaning.kind],
                            printable(meaning.value));
    }
    if (!line.empty())
        fmt::print("understood: {}{}\n\n", line,
                   answer.drops_names ? "; nothing is of that category or brand, so they do not filter" : "");
    for (const search::Correction& correction : answer.corrections)
        fmt::print("'{}' is taken for '{}'\n\n", printable(correction.written), printable(correction.taken_for));
}

void print_table(const std::vector<search::Hit>& hits) {
    using Align = Table::Align;
    Table table{{{"name"},
                 {"sku"},
                 {"similarity", Align::right},
                 {"price", Align::right},
                 {"stock", Align::right},
                 {"category"},
                 {"brand"}}};
    for (const search::Hit& hit : hits) {
        table.add_row({hit.name, hit.sku, hit.similarity ? fmt::format("{:.3f}", *hit.similarity) : "",
                       fmt::format("{:.2f}", hit.price), std::to_string(hit.stock), hit.category, hit.brand});
    }
    fmt::print("{}", table.text());
}

json::object json_of(const std::string& query, const search::Answer& answer) {
    json::object out{{"query", query},
                     {"strategy", search::strategy_names[answer.strategy]},
                     {"strategy_used", answer.used},
                     {"degraded", answer.degraded},
                     {"reason", answer.reason.empty() ? nullptr : json::value(answer.reason)},
                     {"threshold", answer.threshold ? json::value(*answer.threshold) : nullptr},
                     {"understood", search::understood_json(answer)},
                     {"legs", json_of(answer.legs)},
                     {"results", json_of(answer.hits)}};
    if (answer.facets) out["facets"] = search::json_of(*answer.facets);
    if (answer.diagnosis) out["diagnosis"] = search::json_of(*answer.diagnosis);
    add_explained(answer, out);
    return out;
}

void print_facets(const search::Facets& facets) {
    const auto print = [](const char* name, const std::vector<search::FacetValue>& values) {
        constexpr std::size_t most = 8;
        fmt::print("{}:", name);
        for (std::size_t i = 0; i < std::min(values.size(), most); ++i)
            fmt::print("{} {} ({})", i == 0 ? "" : ",", printable(values[i].name), values[i].products);
        fmt::print("{}\n", values.size() > most ? fmt::format(" and {} more", values.size() - most) : "");
    };
    fmt::print("\n{} products pass the filters\n", facets.products);
    print("category", facets.categories);
    print("brand", facets.brands);
    fmt::print("price:");
    for (const search::PriceRange& range : facets.prices) {
        fmt::print("{} {}", &range == facets.prices.data() ? "" : ",",
                   !range.from && !range.to ? "any"
                   : !range.from            ? fmt::format("under {}", *range.to)
                   : !range.to              ? fmt::format("{} and more", *range.from)
                                            : fmt::format("{} to {}", *range.from, *range.to));
        fmt::print(" ({})", range.products);
    }
    fmt::print("\n");
}

void print_explained(const search::Answer& answer) {
    fmt::print("\nstrategy {}, answered by {}\n", search::strategy_names[answer.strategy], answer.used);
    for (const search::LegReport& report : answer.legs)
        fmt::print("  {}: {} products in {:.1f} ms\n", search::leg_names[report.leg], report.found,
                   report.milliseconds);
    if (answer.explained.plan.empty()) return;
    fmt::print("{}: about {} of {} products pass the filters\n\n{}",
               answer.explained.scan == search::Scan::index
                   ? fmt::format("by the HNSW index (ef_search {})", answer.explained.ef_search)
                   : "by comparing all that pass",
               answer.explained.passing, answer.explained.rows, answer.explained.plan);
}

}  // namespace decant::cli
