#include "cli/commands.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/table.hpp"
#include "core/utf8.hpp"
#include "embed/open_embedder.hpp"
#include "migrate/run_store.hpp"
#include "search/question_vector.hpp"
#include "search/table_search.hpp"
#include "search/vector_file.hpp"
#include "store/database_address.hpp"

namespace decant::cli {
namespace {

std::uint64_t in_range(const std::string& option, const std::optional<std::uint64_t>& given, std::uint64_t unset) {
    constexpr std::uint64_t most = 1'000;
    const std::uint64_t value = given.value_or(unset);
    if (value >= 1 && value <= most) return value;
    throw Error{ErrorCode::request_malformed, fmt::format("{} takes 1 to {}, not {}", option, most, value),
                fmt::format("Write it like {} {}.", option, unset)};
}

std::string cut(const std::string& text) {
    constexpr std::size_t most = 50;
    const std::string line = printable(text);
    const std::string_view shown = first_characters(line, most);
    return shown.size() == line.size() ? line : std::string{shown} + "...";
}

class Query final : public Command {
public:
    Query()
        : Command("query", "Search a copied table by vectors, with Chroma's filters",
                  {"decant query items --text 'wireless mouse'",
                   "decant query items --id product_17 --where '{\"brand\": \"Sony\"}' --limit 5",
                   "decant query items --vector-file query.f32 --where '{\"price\": {\"$lt\": 100}}' --json",
                   "decant query items --text mouse --where-document '{\"$contains\": \"USB\"}' --explain"}) {}
    void declare(Options& options) override {
        options.required_positional("TABLE", table_, "Table that decant copied");
        options.text("--schema", schema_, "Schema of the table (default: public)");
        options.text("--text", text_, "Nearest to this text, by the configured model");
        options.text("--id", id_, "Nearest to the vector of this row, which is among the answer as in Chroma");
        options.text("--vector-file", vector_file_,
                     "Nearest to the vector in this file: a JSON array; .f32 and .bin are little-endian float32");
        options.text("--where", where_, "Filter over metadata, as Chroma's where (JSON)");
        options.text("--where-document", where_document_, "Filter over documents, as Chroma's where_document (JSON)");
        options.number("--limit", limit_, "At most so many (default: 10)");
        options.number("--page", page_, "The page of that many to show (default: 1)");
        options.flag("--explain", explains_, "Show how the rows were found, and the server's plan");
        declare_embedder(options);
    }

    int run(const Context& context) override {
        if (text_.has_value() + id_.has_value() + vector_file_.has_value() != 1) {
            throw Error{ErrorCode::request_malformed, "query takes one of --text, --id and --vector-file",
                        "Write it like decant query items --text 'wireless mouse'."};
        }
        search::TableQuery query{.limit = in_range("--limit", limit_, 10), .explains = explains_};
        query.offset = (in_range("--page", page_, 1) - 1) * query.limit;
        if (where_) query.filters.push_back(search::parse_where(*where_));
        if (where_document_) query.filters.push_back(search::parse_where_document(*where_document_));
        pg::Connection db = pg::Connection::open(store::resolve_database(context.settings).conninfo);
        const search::CopiedTable table = open_table(db);
        const std::vector<float> vector = vector_for(context, db, table);
        query.vector = vector;
        const search::TableAnswer answer = search::find_nearest(db, table, query);
        if (context.json)
            print_json(table, answer);
        else
            print_text(table, answer);
        return 0;
    }

private:
    search::CopiedTable open_table(pg::Connection& db) const {
        migrate::RunStore runs{db};
        const auto run = runs.is_prepared() ? runs.origin(schema_, table_) : std::nullopt;
        return search::read_copied_table(db, schema_, table_, run ? std::optional{run->shape.space} : std::nullopt);
    }

    std::vector<float> vector_for(const Context& context, pg::Connection& db, const search::CopiedTable& table) const {
        if (id_) return search::stored_vector(db, table, *id_);
        if (vector_file_) return search::read_vector_file(*vector_file_);
        return search::question_vector(*embed::require_embedder(context.settings), *text_);
    }

    void print_json(const search::CopiedTable& table, const search::TableAnswer& answer) const {
        std::string rows;
        for (const search::TableRow& row : answer.rows) {
            json::object head{{"id", row.id},
                              {"distance", row.distance},
                              {"document", row.document ? json::value(*row.document) : nullptr}};
            std::string object = json_text(head);
            // As it is in the table, so that 3.0 stays 3.0.
            object.replace(object.size() - 1, 1, ",\"metadata\":" + row.metadata.value_or("null") + "}");
            rows += (rows.empty() ? "" : ",") + object;
        }
        json::object out{{"table", table.shown},
                         {"space", catalog::name_of(table.space)},
                         {"scan", search::scan_names[answer.scan]}};
        if (explains_) {
            out["passing"] = answer.passing;
            out["rows"] = table.rows;
            out["plan"] = answer.plan;
        }
        std::string text = json_text(out);
        text.replace(text.size() - 1, 1, ",\"results\":[" + rows + "]}");
        fmt::print("{}\n", text);
    }

    void print_text(const search::CopiedTable& table, const search::TableAnswer& answer) const {
        if (answer.rows.empty()) {
            fmt::print("No row of {} passes the filters.\n", printable(table.shown));
        } else {
            Table rows{{{"id"}, {"distance", Table::Align::right}, {"document"}, {"metadata"}}};
            for (const search::TableRow& row : answer.rows)
                rows.add_row({printable(row.id), fmt::format("{:.4f}", row.distance), cut(row.document.value_or("")),
                              cut(row.metadata.value_or(""))});
            fmt::print("{}", rows.text());
        }
        if (!explains_) return;
        fmt::print("\n{}: about {} of {} rows pass the filters\n\n{}",
                   answer.scan == search::Scan::index ? "by the HNSW index" : "by comparing all that pass",
                   answer.passing, table.rows, answer.plan);
    }

    std::string table_;
    std::string schema_ = "public";
    std::optional<std::string> text_;
    std::optional<std::string> id_;
    std::optional<std::string> vector_file_;
    std::optional<std::string> where_;
    std::optional<std::string> where_document_;
    std::optional<std::uint64_t> limit_;
    std::optional<std::uint64_t> page_;
    bool explains_ = false;
};

}  // namespace

Commands make_query() {
    return commands_of<Query>();
}

}  // namespace decant::cli
