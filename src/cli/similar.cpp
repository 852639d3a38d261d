#include "cli/commands.hpp"

#include <fmt/format.h>

#include <charconv>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/table.hpp"
#include "core/utf8.hpp"
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
        const std::uint64_t limit = limit_.value_or(10);
        if (limit == 0 || limit > 1000) {
            throw Error{ErrorCode::request_malformed, fmt::format("--limit takes 1 to 1000, not {}", limit),
                        "Write it like --limit 10."};
        }
        const store::SimilarRequest request{
            .product = product_, .limit = limit, .threshold = parse_threshold(threshold_)};
        pg::Connection db = pg::Connection::open(store::resolve_database(context.settings).conninfo);
        const store::SimilarTo found = store::find_similar(db, request);
        if (context.json)
            print_json(found);
        else
            print_text(found);
        return 0;
    }

private:
    static void print_json(const store::SimilarTo& found) {
        const pg::Result& rows = found.products;
        json::array similar;
        for (int row = 0; row < rows.rows(); ++row) {
            similar.push_back(json::object{{"id", rows.text(row, 0)},
                                           {"sku", rows.is_null(row, 1) ? nullptr : json::value(rows.text(row, 1))},
                                           {"name", rows.text(row, 2)},
                                           {"similarity", rows.real(row, 3)},
                                           {"price", rows.real(row, 4)},
                                           {"stock", rows.integer(row, 5)},
                                           {"category", rows.text(row, 6)},
                                           {"brand", rows.text(row, 7)}});
        }
        fmt::print("{}\n",
                   json_text(json::object{{"id", found.id}, {"name", found.name}, {"similar", std::move(similar)}}));
    }

    static void print_text(const store::SimilarTo& found) {
        using Align = Table::Align;
        const pg::Result& rows = found.products;
        fmt::print("Similar to {}\n\n", printable(found.name));
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

    std::string product_;
    std::optional<std::uint64_t> limit_;
    std::string threshold_ = "0";
};

}  // namespace

Commands make_similar() {
    return commands_of<Similar>();
}

}  // namespace decant::cli
