#include <fmt/format.h>

#include <charconv>

#include "cli/commands.hpp"
#include "cli/judged_options.hpp"
#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/progress.hpp"
#include "core/quantity_text.hpp"
#include "core/table.hpp"
#include "core/utf8.hpp"
#include "quality/index_recall.hpp"
#include "store/database_address.hpp"

namespace decant::cli {
namespace {

double parse_share(const std::string& text) {
    double value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed == std::errc{} && end == text.data() + text.size() && value > 0 && value <= 1) return value;
    throw Error{ErrorCode::request_malformed,
                fmt::format("--selectivity takes numbers over 0 and up to 1, not '{}'", printable(text)),
                "Write it like --selectivity 0.5,0.1,0.01."};
}

json::object json_of(const quality::Latency& latency) {
    return {{"p50_milliseconds", latency.p50}, {"p95_milliseconds", latency.p95}};
}

class EvalRecall final : public Command {
public:
    EvalRecall()
        : Command("eval recall", "Measure what the search by vectors misses, without and under filters",
                  {"decant eval recall", "decant eval recall --selectivity 0.1,0.01 --queries 200 --k 20 --json"}) {}
    void declare(Options& options) override {
        options.text("--selectivity", selectivity_,
                     "Shares of the products that filters pass (default: 0.5,0.1,0.01,0.001)");
        options.number("--queries", queries_, "Stored vectors to search for (default: 100)");
        options.number("--k", k_, "Nearest ones of each (default: 10)");
    }

    int run(const Context& context) override {
        catch_interrupts();
        quality::RecallOptions options{
            .selectivities = {1},
            .queries = in_range({.option = "--queries", .low = 1, .high = 10'000, .unset = 100}, queries_),
            .k = in_range({.option = "--k", .low = 1, .high = 500, .unset = 10}, k_)};
        for (const std::string& share : parse_list("--selectivity", selectivity_))
            options.selectivities.push_back(parse_share(share));
        pg::Connection db = pg::Connection::open(store::resolve_database(context.settings).conninfo);
        const quality::IndexRecall measured = measure(db, options);
        if (context.json)
            print_json(measured, options);
        else
            print_text(measured, options);
        const bool is_short =
            std::ranges::any_of(measured.filtered, [](const auto& one) { return one.rows < one.rows_wanted; });
        if (is_short) log::warning("Fewer rows came back than pass the filter");
        return is_short ? 1 : 0;
    }

private:
    static quality::IndexRecall measure(pg::Connection& db, const quality::RecallOptions& options) {
        Progress meter{"recall", "searches"};
        return quality::measure_index_recall(db, options, [&](std::size_t done, std::size_t total) {
            meter.update(done, total);
            return !interrupted();
        });
    }

    static void print_json(const quality::IndexRecall& measured, const quality::RecallOptions& options) {
        json::array filtered;
        for (const quality::FilteredRecall& one : measured.filtered) {
            filtered.push_back(json::object{{"selectivity", one.selectivity},
                                            {"passing", one.passing},
                                            {"recall", one.recall},
                                            {"rows", one.rows},
                                            {"rows_wanted", one.rows_wanted},
                                            {"by_index", one.by_index},
                                            {"search", json_of(one.search)},
                                            {"exact", json_of(one.exact)}});
        }
        fmt::print("{}\n", json_text(json::object{{"products", measured.products},
                                                  {"queries", measured.queries},
                                                  {"k", options.k},
                                                  {"filtered", std::move(filtered)}}));
    }

    static void print_text(const quality::IndexRecall& measured, const quality::RecallOptions& options) {
        constexpr auto right = Table::Align::right;
        fmt::print("{} products, {} stored vectors searched for; filters are price ranges\n\n",
                   grouped(measured.products), measured.queries);
        Table table{{{"selectivity", right},
                     {"passing", right},
                     {fmt::format("recall@{}", options.k), right},
                     {"rows", right},
                     {"by index", right},
                     {"search p50 ms", right},
                     {"p95 ms", right},
                     {"exact p50 ms", right},
                     {"p95 ms", right}}};
        for (const quality::FilteredRecall& one : measured.filtered) {
            table.add_row({one.selectivity < 1 ? fmt::format("{}", one.selectivity) : "no filter",
                           fmt::format("{:.4f}", one.passing), fmt::format("{:.4f}", one.recall),
                           fmt::format("{} of {}", one.rows, one.rows_wanted),
                           fmt::format("{} of {}", one.by_index, measured.queries),
                           fmt::format("{:.2f}", one.search.p50), fmt::format("{:.2f}", one.search.p95),
                           fmt::format("{:.2f}", one.exact.p50), fmt::format("{:.2f}", one.exact.p95)});
        }
        fmt::print("{}", table.text());
    }

    std::string selectivity_ = "0.5,0.1,0.01,0.001";
    std::optional<std::uint64_t> queries_;
    std::optional<std::uint64_t> k_;
};

}  // namespace

Commands make_eval_recall() {
    return commands_of<EvalRecall>();
}

}  // namespace decant::cli
