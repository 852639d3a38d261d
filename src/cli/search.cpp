#include "cli/commands.hpp"

#include <fmt/format.h>

#include <charconv>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/table.hpp"
#include "core/utf8.hpp"
#include "embed/checked_embedder.hpp"
#include "embed/open_embedder.hpp"
#include "search/vector_search.hpp"
#include "store/database_address.hpp"
#include "store/similar_products.hpp"

namespace decant::cli {
namespace {

double parse_number(const std::string& option, const std::string& text) {
    double value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed == std::errc{} && end == text.data() + text.size()) return value;
    throw Error{ErrorCode::request_malformed, fmt::format("{} takes a number, not '{}'", option, printable(text)),
                fmt::format("Write it like {} 0.7.", option)};
}

double parse_threshold(const std::string& text) {
    const double value = parse_number("--threshold", text);
    if (value >= -1 && value <= 1) return value;
    throw Error{ErrorCode::request_malformed, fmt::format("--threshold takes a number from -1 to 1, not '{}'", text),
                "Write it like --threshold 0.7."};
}

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

std::uint64_t in_range(const std::string& option, const std::optional<std::uint64_t>& given, std::uint64_t unset) {
    const std::uint64_t value = given.value_or(unset);
    if (value >= 1 && value <= 1000) return value;
    throw Error{ErrorCode::request_malformed, fmt::format("{} takes 1 to 1000, not {}", option, value),
                fmt::format("Write it like {} {}.", option, unset)};
}

class Search final : public Command {
public:
    Search()
        : Command("search", "Show the products whose meaning is nearest to a text",
                  {"decant search 'notebook liviana para viajar'",
                   "decant search 'gaming laptop' --max-price 1500 --in-stock --limit 5",
                   "decant search auriculares --brand Sony --explain --json"}) {}
    void declare(Options& options) override {
        options.required_positional("TEXT", text_, "What is looked for");
        options.number("--limit", limit_, "At most so many (default: 10)");
        options.number("--page", page_, "The page of that many to show (default: 1)");
        options.text("--threshold", threshold_, "Least similarity, from -1 to 1 (default: the model's)");
        options.text("--category", filter_.category, "Only of this category, by name or id");
        options.text("--subcategory", filter_.subcategory, "Only of this subcategory");
        options.text("--brand", filter_.brand, "Only of this brand");
        options.text("--min-price", min_price_, "Least price");
        options.text("--max-price", max_price_, "Highest price");
        options.flag("--in-stock", filter_.in_stock, "Only what is in stock");
        options.flag("--featured", filter_.featured, "Only what is featured");
        options.flag("--on-sale", filter_.on_sale, "Only what is on sale");
        options.flag("--explain", explains_, "Show how the rows were found, and the server's plan");
        declare_embedder(options);
    }

    int run(const Context& context) override {
        const std::uint64_t limit = in_range("--limit", limit_, 10);
        const std::uint64_t offset = (in_range("--page", page_, 1) - 1) * limit;
        if (min_price_) filter_.min_price = parse_number("--min-price", *min_price_);
        if (max_price_) filter_.max_price = parse_number("--max-price", *max_price_);
        const std::optional<double> asked = threshold_ ? std::optional{parse_threshold(*threshold_)} : std::nullopt;
        const auto embedder = embed::require_embedder(context.settings);
        const double threshold = asked.value_or(embedder->model().search_threshold.value_or(0));
        pg::Connection db = pg::Connection::open(store::resolve_database(context.settings).conninfo);
        const std::vector<float> vector = vector_of(*embedder);
        const search::VectorAnswer answer = search::find_nearest(db, {.vector = vector,
                                                                      .filter = filter_,
                                                                      .limit = limit,
                                                                      .offset = offset,
                                                                      .threshold = threshold,
                                                                      .explains = explains_});
        if (context.json)
            print_json(answer, embedder->model().name, threshold);
        else
            print_text(answer, threshold);
        return 0;
    }

private:
    std::vector<float> vector_of(embed::Embedder& embedder) const {
        const std::string_view text = text_;
        auto outcome = std::move(embed::CheckedEmbedder{embedder}.embed({&text, 1}, embed::Role::query).front());
        if (const auto* fault = std::get_if<embed::TextFault>(&outcome)) {
            throw Error{ErrorCode::request_invalid, "The text cannot be searched for: " + fault->reason,
                        "Give words to search for."};
        }
        return std::move(std::get<embed::TextVector>(outcome).values);
    }

    void print_json(const search::VectorAnswer& answer, const std::string& model, double threshold) const {
        json::object out{{"query", text_},
                         {"model", model},
                         {"threshold", threshold},
                         {"scan", search::scan_names[answer.scan]},
                         {"results", json_of(answer.hits)}};
        if (explains_) {
            out["passing"] = answer.passing;
            out["rows"] = answer.rows;
            out["plan"] = answer.plan;
        }
        fmt::print("{}\n", json_text(out));
    }

    void print_text(const search::VectorAnswer& answer, double threshold) const {
        if (answer.hits.empty())
            fmt::print("No product that passes the filters has a similarity of {:.2f} or more.\n", threshold);
        else
            print_table(answer.hits);
        if (!explains_) return;
        fmt::print("\n{}: about {} of {} products pass the filters\n\n{}",
                   answer.scan == search::Scan::index ? "by the HNSW index" : "by comparing all that pass",
                   answer.passing, answer.rows, answer.plan);
    }

    std::string text_;
    search::Filter filter_;
    std::optional<std::uint64_t> limit_;
    std::optional<std::uint64_t> page_;
    std::optional<std::string> threshold_;
    std::optional<std::string> min_price_;
    std::optional<std::string> max_price_;
    bool explains_ = false;
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
            .product = product_, .limit = in_range("--limit", limit_, 10), .threshold = parse_threshold(threshold_)};
        pg::Connection db = pg::Connection::open(store::resolve_database(context.settings).conninfo);
        const store::SimilarTo found = store::find_similar(db, request);
        const std::vector<search::Hit> hits = hits_of(found.products);
        if (context.json) {
            fmt::print("{}\n",
                       json_text(json::object{{"id", found.id}, {"name", found.name}, {"similar", json_of(hits)}}));
        } else {
            fmt::print("Similar to {}\n\n", printable(found.name));
            print_table(hits);
        }
        return 0;
    }

private:
    static std::vector<search::Hit> hits_of(const pg::Result& rows) {
        std::vector<search::Hit> hits;
        for (int row = 0; row < rows.rows(); ++row) {
            search::Hit& hit = hits.emplace_back(search::read_hit(rows, row));
            hit.similarity = hit.score = rows.real(row, search::hit_column_count);
        }
        return hits;
    }

    std::string product_;
    std::optional<std::uint64_t> limit_;
    std::string threshold_ = "0";
};

}  // namespace

Commands make_search() {
    return commands_of<Search, Similar>();
}

}  // namespace decant::cli
