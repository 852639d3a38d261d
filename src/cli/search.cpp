#include "cli/commands.hpp"
#include "cli/product_search.hpp"
#include "cli/search_answer.hpp"

#include <fmt/format.h>

#include <charconv>
#include <fstream>
#include <iostream>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/utf8.hpp"
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

std::uint64_t in_range(const std::string& option, const std::optional<std::uint64_t>& given, std::uint64_t unset) {
    const std::uint64_t value = given.value_or(unset);
    if (value >= 1 && value <= 1000) return value;
    throw Error{ErrorCode::request_malformed, fmt::format("{} takes 1 to 1000, not {}", option, value),
                fmt::format("Write it like {} {}.", option, unset)};
}

/// One question a line; "-" is stdin.
std::vector<std::string> read_questions(const std::string& path) {
    std::ifstream file;
    if (path != "-") file.open(path);
    std::istream& lines = path == "-" ? std::cin : file;
    if (!lines) {
        throw Error{ErrorCode::not_found, fmt::format("The file '{}' cannot be read", printable(path)),
                    "Name a file with one question a line."};
    }
    std::vector<std::string> questions;
    for (std::string line; std::getline(lines, line);) {
        if (line.ends_with('\r')) line.pop_back();
        if (!line.empty()) questions.push_back(line);
    }
    return questions;
}

class Search final : public Command {
public:
    Search()
        : Command("search", "Show the products that answer a question, by meaning and by words",
                  {"decant search 'notebook liviana para viajar'",
                   "decant search 'gaming laptop' --max-price 1500 --in-stock --limit 5",
                   "decant search auriculares --brand Sony --strategy fusion --facets",
                   "decant search --queries questions.txt --json"}) {}
    void declare(Options& options) override {
        options.optional_positional("TEXT", text_, "What is looked for");
        options.text("--queries", queries_, "Several, one a line of this file; - reads stdin");
        options.number("--limit", limit_, "At most so many (default: 10)");
        options.number("--page", page_, "The page of that many to show (default: 1)");
        options.text("--strategy", strategy_,
                     "Who answers: pgvector_primary, chroma_primary, hybrid, fusion, or one leg alone: pgvector, "
                     "chroma, keyword (default: PRODUCT_SEARCH_STRATEGY)");
        options.text("--threshold", threshold_, "Least similarity, from -1 to 1 (default: the settings', the model's)");
        options.text("--category", filter_.category, "Only of this category, by name or id");
        options.text("--subcategory", filter_.subcategory, "Only of this subcategory");
        options.text("--brand", filter_.brand, "Only of this brand");
        options.text("--min-price", min_price_, "Least price");
        options.text("--max-price", max_price_, "Highest price");
        options.flag("--in-stock", filter_.in_stock, "Only what is in stock");
        options.flag("--featured", filter_.featured, "Only what is featured");
        options.flag("--on-sale", filter_.on_sale, "Only what is on sale");
        options.flag("--literal", literal_, "Search for all of the text; take nothing in it for a price or a category");
        options.flag("--facets", facets_,
                     "Show how what passes the filters divides into categories, brands and prices");
        options.flag("--explain", explains_, "Show who answered, how the rows were found, and the server's plan");
        options.flag("--sharded", is_sharded_, "Ask the copy that schema shard made (default: SHARD_SEARCH)");
        declare_embedder(options);
    }

    int run(const Context& context) override {
        if (text_.has_value() == queries_.has_value()) {
            throw Error{ErrorCode::request_malformed, "search takes a TEXT, or --queries FILE",
                        "Write it like decant search 'gaming laptop'."};
        }
        const std::vector<std::string> questions = text_ ? std::vector{*text_} : read_questions(*queries_);
        const search::Request request = request_for();
        ProductSearch search{context.settings, is_sharded_};
        for (const std::string& question : questions) {
            search::Request one = request;
            one.text = question;
            const search::Answer answer = search.engine().search(one);
            if (context.json)
                fmt::print("{}\n", json_text(json_of(question, answer)));
            else
                print_text(question, answer);
        }
        return 0;
    }

private:
    search::Request request_for() {
        search::Request request{.limit = in_range("--limit", limit_, 10)};
        request.offset = (in_range("--page", page_, 1) - 1) * request.limit;
        if (min_price_) filter_.min_price = parse_number("--min-price", *min_price_);
        if (max_price_) filter_.max_price = parse_number("--max-price", *max_price_);
        if (threshold_) request.threshold = parse_threshold(*threshold_);
        if (strategy_) request.strategy = parse_strategy(*strategy_);
        request.filter = filter_;
        request.literal = literal_;
        request.facets = facets_;
        request.explains = explains_;
        return request;
    }

    void print_text(const std::string& question, const search::Answer& answer) const {
        for (const std::string& warning : answer.warnings)
            log::warning("{}", warning);
        if (queries_) fmt::print("# {}\n", printable(question));
        print_understood(answer);
        if (answer.hits.empty())
            fmt::print("No product found.\n");
        else
            print_table(answer.hits);
        if (!answer.reason.empty())
            fmt::print("\n{}nswered by {}: {}\n", answer.degraded ? "Degraded: a" : "A", answer.used, answer.reason);
        const std::vector<std::string> causes =
            answer.diagnosis ? answer.diagnosis->causes() : std::vector<std::string>{};
        if (!causes.empty() && !answer.hits.empty() && answer.reason.empty()) fmt::print("\n");
        for (const std::string& cause : causes)
            fmt::print("  {}\n", cause);
        if (answer.facets) print_facets(*answer.facets);
        if (explains_) print_explained(answer);
        if (queries_) fmt::print("\n");
    }

    std::optional<std::string> text_;
    std::optional<std::string> queries_;
    std::optional<std::string> strategy_;
    search::Filter filter_;
    std::optional<std::uint64_t> limit_;
    std::optional<std::uint64_t> page_;
    std::optional<std::string> threshold_;
    std::optional<std::string> min_price_;
    std::optional<std::string> max_price_;
    bool literal_ = false;
    bool facets_ = false;
    bool explains_ = false;
    bool is_sharded_ = false;
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
        options.flag("--in-stock", in_stock_, "Only what is in stock");
    }

    int run(const Context& context) override {
        const store::SimilarRequest request{.product = product_,
                                            .limit = in_range("--limit", limit_, 10),
                                            .threshold = parse_threshold(threshold_),
                                            .in_stock = in_stock_};
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
    bool in_stock_ = false;
};

}  // namespace

Commands make_search() {
    return commands_of<Search, Similar>();
}

}  // namespace decant::cli
