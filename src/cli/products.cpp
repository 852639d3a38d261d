#include "cli/commands.hpp"

#include <fmt/format.h>

#include <array>
#include <map>
#include <unordered_map>

#include "catalog/product_file.hpp"
#include "cli/error_text.hpp"
#include "cli/product_columns.hpp"
#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/json.hpp"
#include "core/read_file.hpp"
#include "core/table.hpp"
#include "core/utf8.hpp"
#include "core/write_file.hpp"
#include "store/database_address.hpp"
#include "store/product_store.hpp"

namespace decant::cli {
namespace {

pg::Connection connect(const Context& context) {
    return pg::Connection::open(store::resolve_database(context.settings).conninfo);
}

struct LoadReport {
    std::uint64_t read = 0;
    store::UpsertOutcome done = {};
    std::vector<std::string> unknown_columns = {};
    std::vector<json::object> rejects = {};
};

/// Pages of products into the store. What a page did is committed: a second run goes on where this one ended.
class Loader {
public:
    Loader(pg::Connection& db, bool counts_elements) : store_(db), line_key_(counts_elements ? "element" : "line") {}

    void take(catalog::FileRecord&& record) {
        ++report_.read;
        if (!record.fault) record.fault = repeated_key(record);
        if (record.fault) {
            reject(record, *record.fault);
            return;
        }
        products_.push_back(std::move(record.product));
        records_.push_back(std::move(record));
        if (products_.size() == page_rows) flush();
    }

    void flush() {
        const store::UpsertOutcome page = store_.upsert(products_);
        report_.done.created += page.created;
        report_.done.updated += page.updated;
        report_.done.unchanged += page.unchanged;
        report_.done.categories_created += page.categories_created;
        report_.done.brands_created += page.brands_created;
        for (const auto& refusal : page.refused)
            reject(records_[refusal.index], refusal.reason);
        products_.clear();
        records_.clear();
    }

    LoadReport& report() noexcept { return report_; }

private:
    static constexpr std::size_t page_rows = 2000;

    std::optional<std::string> repeated_key(const catalog::FileRecord& record) {
        for (const auto& [column, key] : {std::pair{"id", record.product.id}, std::pair{"sku", record.product.sku}}) {
            if (!key) continue;
            const auto [found, is_new] = lines_.emplace(fmt::format("{} {}", column, *key), record.line);
            if (!is_new) return fmt::format("{} '{}' stands in {} {} already", column, *key, line_key_, found->second);
        }
        return std::nullopt;
    }

    void reject(const catalog::FileRecord& record, const std::string& reason) {
        report_.rejects.push_back({{line_key_, record.line}, {"reason", reason}, {"record", record.record}});
    }

    store::ProductStore store_;
    std::string line_key_;
    LoadReport report_;
    std::vector<catalog::Product> products_;
    std::vector<catalog::FileRecord> records_;
    std::unordered_map<std::string, std::size_t> lines_;
};

class ProductsLoad final : public Command {
public:
    ProductsLoad()
        : Command("products load", "Insert or update products from a CSV, JSON or JSONL file",
                  {"decant products load products.csv", "decant products load - --format jsonl < products.jsonl"}) {}
    void declare(Options& options) override {
        options.required_positional("FILE", file_, "The file, or - for standard input");
        options.choice("--format", format_, {"auto", "csv", "json", "jsonl"}, "What it holds (default: by its start)");
        options.text("--rejects", rejects_, "Where rejected records are written (default: rejects.jsonl)");
    }

    int run(const Context& context) override {
        catch_interrupts();
        const std::string text = read_file(file_, product_file);
        const std::map<std::string, catalog::FileFormat> formats{{"csv", catalog::FileFormat::csv},
                                                                 {"json", catalog::FileFormat::json},
                                                                 {"jsonl", catalog::FileFormat::jsonl}};
        const catalog::FileFormat format = format_ == "auto" ? catalog::format_of(text) : formats.at(format_);
        catalog::ProductFile file{text, format};
        pg::Connection db = connect(context);
        Loader loader{db, format == catalog::FileFormat::json};
        while (auto record = file.next()) {
            loader.take(std::move(*record));
            if (interrupted()) {
                throw Error{ErrorCode::cancelled,
                            fmt::format("Interrupted after about {} records: the pages so far are committed",
                                        loader.report().read),
                            "Run the same command again: rows that are loaded are not written again."};
            }
        }
        loader.flush();
        LoadReport& report = loader.report();
        std::ranges::sort(report.rejects, {}, [](const json::object& reject) {
            return reject.begin()->value().to_number<std::uint64_t>();
        });
        report.unknown_columns = file.unknown_columns();
        warn_of_columns(report.unknown_columns, "loaded");
        print(report, context.json);
        return report.rejects.empty() ? 0 : std::max(1, write_rejects(report.rejects, context.json));
    }

private:
    void print(const LoadReport& report, bool as_json) const {
        const store::UpsertOutcome& done = report.done;
        const std::array<std::pair<std::string, std::uint64_t>, 5> counts{{{"read", report.read},
                                                                           {"created", done.created},
                                                                           {"updated", done.updated},
                                                                           {"unchanged", done.unchanged},
                                                                           {"rejected", report.rejects.size()}}};
        if (as_json) {
            json::object out(counts.begin(), counts.end());
            out["categories_created"] = done.categories_created;
            out["brands_created"] = done.brands_created;
            out["unknown_columns"] = json::array(report.unknown_columns.begin(), report.unknown_columns.end());
            fmt::print("{}\n", json_text(out));
            return;
        }
        std::vector<Table::Column> columns;
        std::vector<std::string> cells;
        for (const auto& [name, count] : counts) {
            columns.push_back({name, Table::Align::right});
            cells.push_back(std::to_string(count));
        }
        Table table{columns};
        table.add_row(cells);
        fmt::print("{}", table.text());
        if (done.categories_created + done.brands_created > 0)
            fmt::print("Categories made: {}, brands made: {}\n", done.categories_created, done.brands_created);
        constexpr std::size_t most_shown = 5;
        for (std::size_t i = 0; i < std::min(report.rejects.size(), most_shown); ++i) {
            const json::object& reject = report.rejects[i];
            fmt::print("  {} {}: {}\n", std::string_view{reject.begin()->key()}, json_text(reject.begin()->value()),
                       printable(reject.at("reason").as_string()));
        }
    }

    int write_rejects(const std::vector<json::object>& rejects, bool as_json) const {
        std::string lines;
        for (const json::object& reject : rejects)
            lines += json_text(reject) + "\n";
        try {
            write_file(rejects_, lines);
        } catch (const Error& error) {
            return print_error({error.code(), error.happened() + ". The products are loaded",
                                "Run the same command again with --rejects FILE: only the file is written anew."},
                               as_json);
        }
        if (!as_json) fmt::print("Rejected records are in {}\n", rejects_);
        return 0;
    }

    std::string file_;
    std::string format_ = "auto";
    std::string rejects_ = "rejects.jsonl";
};

/// A value for a person: text bare, all else as JSON, null as nothing.
std::string shown(const json::value& value) {
    if (value.is_null()) return "";
    return printable(value.is_string() ? std::string{value.as_string()} : json_text(value));
}

class ProductsList final : public Command {
public:
    ProductsList()
        : Command("products list", "List products of the catalog, by name",
                  {"decant products list --category laptops", "decant products list --missing --limit 100 --json"}) {}
    void declare(Options& options) override {
        options.text("--category", filter_.category, "Only those of this category");
        options.text("--brand", filter_.brand, "Only those of this brand");
        options.flag("--missing", filter_.missing_only, "Only active ones that have no embedding");
        options.number("--limit", limit_, "At most so many (default: 20)");
    }

    int run(const Context& context) override {
        filter_.limit = std::min<std::uint64_t>(limit_.value_or(20), 1'000'000'000);
        pg::Connection db = connect(context);
        std::uint64_t total = 0;
        const json::array products = store::ProductStore{db}.list(filter_, total);
        if (context.json) {
            fmt::print("{}\n", json_text(json::object{{"total", total}, {"products", products}}));
            return 0;
        }
        constexpr auto right = Table::Align::right;
        Table table{{{"sku"}, {"name"}, {"brand"}, {"category"}, {"price", right}, {"stock", right}, {"embedding"}}};
        for (const json::value& value : products) {
            const json::object& product = value.as_object();
            table.add_row({shown(product.at("sku")), shown(product.at("name")), shown(product.at("brand")),
                           shown(product.at("category")),
                           fmt::format("{:.2f}", product.at("price").to_number<double>()), shown(product.at("stock")),
                           product.at("has_embedding").as_bool() ? "yes" : "no"});
        }
        fmt::print("{}\n{} of {} products\n", table.text(), products.size(), total);
        return 0;
    }

private:
    store::ProductFilter filter_;
    std::optional<std::uint64_t> limit_;
};

class ProductsShow final : public Command {
public:
    ProductsShow() : Command("products show", "Show one product", {"decant products show LAP-0001"}) {}
    void declare(Options& options) override { options.required_positional("PRODUCT", product_, "Its id or sku"); }

    int run(const Context& context) override {
        pg::Connection db = connect(context);
        auto found = store::ProductStore{db}.find(product_);
        if (!found) {
            throw Error{ErrorCode::not_found,
                        fmt::format("There is no product '{}' in database '{}'", printable(product_), db.database()),
                        "See them with `decant products list`."};
        }
        if (context.json) {
            fmt::print("{}\n", json_text(*found));
            return 0;
        }
        const auto line = [&](json::string_view key) {
            if (const json::value* value = found->if_contains(key)) {
                if (!shown(*value).empty()) fmt::print("{:<22} {}\n", std::string_view{key}, shown(*value));
                found->erase(key);
            }
        };
        for (const catalog::ProductField& field : catalog::product_fields())
            line({field.column.data(), field.column.size()});
        while (!found->empty())
            line(json::string{found->begin()->key()});
        return 0;
    }

private:
    std::string product_;
};

}  // namespace

Commands make_products() {
    return commands_of<ProductsLoad, ProductsList, ProductsShow>();
}

}  // namespace decant::cli
