#include "cli/commands.hpp"

#include <fmt/format.h>

#include <charconv>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/table.hpp"
#include "core/utf8.hpp"
#include "embed/checked_embedder.hpp"
#include "embed/open_embedder.hpp"
#include "store/database_address.hpp"
#include "store/similar_products.hpp"

namespace decant::cli {
namespace {

double parse_threshold(const std::string& text) {
    double value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed == std::errc{} && end == text.data() + text.size() && value >= -1 && value <= 1) return value;
    throw Error{ErrorCode::request_malformed, fmt::format("--threshold takes a number from -1 to 1, not '{}'", text),
                "Write it like --threshold 0.7."};
}

json::array json_of(const pg::Result& rows) {
    json::array products;
    for (int row = 0; row < rows.rows(); ++row) {
        products.push_back(json::object{{"id", rows.text(row, 0)},
                                        {"sku", rows.is_null(row, 1) ? nullptr : json::value(rows.text(row, 1))},
                                        {"name", rows.text(row, 2)},
                                        {"similarity", rows.real(row, 3)},
                                        {"price", rows.real(row, 4)},
                                        {"stock", rows.integer(row, 5)},
                                        {"category", rows.text(row, 6)},
                                        {"brand", rows.text(row, 7)}});
    }
    return products;
}

void print_table(const pg::Result& rows) {
    using Align = Table::Align;
    Table table{{{"name"},
                 {"sku"},
                 {"similarity", Align::right},
                 {"price", Align::right},
                 {"stock", Align::right},
                 {"category"},
                 {"brand"}}};
    const auto cell = [&](int row, int column) { return std::string{rows.text(row, column)}; };
    for (int row = 0; row < rows.rows(); ++row) {
        table.add_row({cell(row, 2), cell(row, 1), fmt::format("{:.3f}", rows.real(row, 3)),
                       fmt::format("{:.2f}", rows.real(row, 4)), cell(row, 5), cell(row, 6), cell(row, 7)});
    }
    fmt::print("{}", table.text());
}

std::uint64_t limit_of(const std::optional<std::uint64_t>& given) {
    const std::uint64_t limit = given.value_or(10);
    if (limit >= 1 && limit <= 1000) return limit;
    throw Error{ErrorCode::request_malformed, fmt::format("--limit takes 1 to 1000, not {}", limit),
                "Write it like --limit 10."};
}

class Search final : public Command {
public:
    Search()
        : Command("search", "Show the products whose meaning is nearest to a text",
                  {"decant search 'notebook liviana para viajar'",
                   "decant search 'gaming laptop' --limit 5 --threshold 0.3 --json"}) {}
    void declare(Options& options) override {
        options.required_positional("TEXT", text_, "What is looked for");
        options.number("--limit", limit_, "At most so many (default: 10)");
        options.text("--threshold", threshold_, "Least similarity, from -1 to 1 (default: the model's)");
        declare_embedder(options);
    }

    int run(const Context& context) override {
        const std::uint64_t limit = limit_of(limit_);
        const auto embedder = embed::require_embedder(context.settings);
        const double threshold =
            threshold_ ? parse_threshold(*threshold_) : embedder->model().search_threshold.value_or(0);
        pg::Connection db = pg::Connection::open(store::resolve_database(context.settings).conninfo);
        const std::string_view text = text_;
        const auto outcome = std::move(embed::CheckedEmbedder{*embedder}.embed({&text, 1}, embed::Role::query).front());
        if (const auto* fault = std::get_if<embed::TextFault>(&outcome)) {
            throw Error{ErrorCode::request_invalid, "The text cannot be searched for: " + fault->reason,
                        "Give words to search for."};
        }
        const pg::Result rows = store::find_nearest(db, std::get<embed::TextVector>(outcome).values, limit, threshold);
        if (context.json) {
            fmt::print("{}\n", json_text(json::object{{"query", text_},
                                                      {"model", embedder->model().name},
                                                      {"threshold", threshold},
                                                      {"results", json_of(rows)}}));
        } else if (rows.empty()) {
            fmt::print("No product has a similarity of {:.2f} or more.\n", threshold);
        } else {
            print_table(rows);
        }
        return 0;
    }

private:
    std::string text_;
    std::optional<std::uint64_t> limit_;
    std::optional<std::string> threshold_;
};

class Similar final : public Command {
public:
    Similar()
        : Command("similar", "Show the products most similar to one of the catalog",
                  {"decant similar LAP-0042", "decant similar LAP-0042 --limit 5 --threshold 0.7 --json"}) {}
    void declare(Options& options) override {
        options.required_positional("PRODUCT", product_, "Its id or sku");
        options.number("--limit", limit_, "At most so many (default: 10)");
        options.text("--threshold", threshold_, "Least similarity, from -1 to 1 (default: 0)");
    }

    int run(const Context& context) override {
        const store::SimilarRequest request{
            .product = product_, .limit = limit_of(limit_), .threshold = parse_threshold(threshold_)};
        pg::Connection db = pg::Connection::open(store::resolve_database(context.settings).conninfo);
        const store::SimilarTo found = store::find_similar(db, request);
        if (context.json) {
            fmt::print("{}\n", json_text(json::object{
                                   {"id", found.id}, {"name", found.name}, {"similar", json_of(found.products)}}));
        } else {
            fmt::print("Similar to {}\n\n", printable(found.name));
            print_table(found.products);
        }
        return 0;
    }

private:
    std::string product_;
    std::optional<std::uint64_t> limit_;
    std::string threshold_ = "0";
};

}  // namespace

Commands make_similar() {
    return commands_of<Search, Similar>();
}

}  // namespace decant::cli
