#include "cli/commands.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "cli/meter_observer.hpp"
#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/json.hpp"
#include "core/quantity_text.hpp"
#include "core/utf8.hpp"
#include "migrate/export.hpp"
#include "net/url.hpp"
#include "store/database_address.hpp"

namespace decant::cli {
namespace {

constexpr std::size_t shown_ids = 20;

class Export final : public Command {
public:
    Export()
        : Command("export",
                  "Write a table or the catalog back, with vectors: to a file of JSON lines or to a Chroma server",
                  {"decant export items --to items.jsonl", "decant export items --to http://localhost:8000",
                   "decant export --catalog --to http://localhost:8000 --collection products_all_products",
                   "decant export items --to - | gzip > items.jsonl.gz"}) {}
    void declare(Options& options) override {
        options.optional_positional("TABLE", table_, "Table of `decant copy`, also in a layout of langchain-postgres");
        options.flag("--catalog", is_catalog_, "Instead of a table: the active products that have an embedding");
        options.text("--to", to_, "FILE, - for stdout, or a Chroma server as http://HOST:PORT");
        options.text("--schema", schema_, "Schema of the table (default: public)");
        options.text("--collection", collection_,
                     "Collection of the server (default: the table's name, CHROMA_COLLECTION of the catalog), or of a "
                     "table that several share");
        options.text("--tenant", tenant_, "Tenant of the server (default: default_tenant)");
        options.text("--database", database_, "Database of the server (default: default_database)");
        options.choice("--space", space_, {"auto", "cosine", "l2", "ip"},
                       "Of a collection that is made (default: auto, as the table is searched)");
    }

    int run(const Context& context) override {
        if (table_.has_value() == is_catalog_ || to_.empty()) {
            throw Error{ErrorCode::request_malformed,
                        to_.empty() ? "--to is missing" : "Give either TABLE or --catalog",
                        "Write it like decant export items --to items.jsonl."};
        }
        if (to_ == "-" && context.json) {
            throw Error{ErrorCode::request_malformed, "--json was given with --to -: both write to stdout",
                        "Name a file, or leave --json out."};
        }
        catch_interrupts();
        const bool is_server = net::looks_like_url(to_);
        const migrate::ExportRequest request = request_of(context);
        MeterObserver observer;
        const migrate::ExportReport report =
            is_server ? migrate::export_to_server(
                            request, chroma::source_address(context.settings, to_, {tenant_, database_, {}}), observer)
                      : migrate::export_to_file(request, to_, observer);
        if (context.json)
            fmt::print("{}\n", json_text(json_of(report, is_server)));
        else if (is_server)
            print_server(report);
        else
            fmt::print(to_ == "-" ? stderr : stdout, "{} rows of {} written to {} ({})\n", grouped(report.rows),
                       printable(report.from), to_ == "-" ? "stdout" : printable(to_), bytes_text(report.bytes));
        return report.is_whole() ? 0 : 1;
    }

private:
    migrate::ExportRequest request_of(const Context& context) const {
        migrate::ExportRequest request{.conninfo = store::resolve_database(context.settings).conninfo};
        if (table_) request.table = {schema_, *table_};
        const std::string of_catalog = context.settings.get("CHROMA_COLLECTION").value_or("products_all_products");
        request.collection = collection_.value_or(table_.value_or(of_catalog));
        if (space_ != "auto")
            request.space = space_ == "cosine" ? chroma::Space::cosine
                            : space_ == "l2"   ? chroma::Space::l2
                                               : chroma::Space::ip;
        return request;
    }

    static json::object json_of(const migrate::ExportReport& report, bool is_server) {
        json::object out{
            {"from", report.from}, {"rows", report.rows}, {"bytes", report.bytes}, {"seconds", report.seconds}};
        if (!is_server) return out;
        json::array refused;
        for (const chroma::RefusedRecord& record : report.written.refused)
            refused.push_back(json::object{{"id", record.id}, {"reason", record.reason}});
        out["collection"] = json::object{{"tenant", report.collection.tenant},
                                         {"database", report.collection.database},
                                         {"name", report.collection.name},
                                         {"id", report.collection.id},
                                         {"is_new", report.is_new}};
        out["added"] = report.written.added;
        out["changed"] = report.written.changed;
        out["unchanged"] = report.written.unchanged;
        out["others"] = report.others;
        out["refused"] = std::move(refused);
        out["rounded"] = report.read_back.rounded;
        out["differing"] = json::array(report.read_back.differing.begin(), report.read_back.differing.end());
        return out;
    }

    void print_server(const migrate::ExportReport& report) const {
        const auto& [added, changed, unchanged, refused] = report.written;
        fmt::print("{} rows of {} -> {}collection {} of tenant {}, database {}\n", grouped(report.rows),
                   printable(report.from), report.is_new ? "new " : "", printable(report.collection.name),
                   printable(report.collection.tenant), printable(report.collection.database));
        fmt::print("{} added, {} changed, {} unchanged, {} refused\n", grouped(added), grouped(changed),
                   grouped(unchanged), grouped(refused.size()));
        for (std::size_t i = 0; i < std::min(refused.size(), shown_ids); ++i)
            fmt::print("  refused  {}: {}\n", printable(refused[i].id), printable(refused[i].reason));
        const auto& [differing, rounded] = report.read_back;
        if (differing.empty())
            fmt::print("Read back: all {} records equal{}\n", grouped(report.rows - refused.size()),
                       rounded == 0 ? ""
                                    : fmt::format("; of {} vectors Chroma rounds the last digit, as of all it keeps "
                                                  "for cosine",
                                                  grouped(rounded)));
        else
            fmt::print("Read back: {} records differ\n", grouped(differing.size()));
        for (std::size_t i = 0; i < std::min(differing.size(), shown_ids); ++i)
            fmt::print("  differs  {}\n", printable(differing[i]));
        if (std::max(refused.size(), differing.size()) > shown_ids) fmt::print("  ... all of them with --json\n");
        if (report.others > 0)
            fmt::print("{} other records of the collection were left alone\n", grouped(report.others));
    }

    std::optional<std::string> table_;
    bool is_catalog_ = false;
    std::string to_;
    std::string schema_ = "public";
    std::optional<std::string> collection_;
    std::optional<std::string> tenant_;
    std::optional<std::string> database_;
    std::string space_ = "auto";
};

}  // namespace

Commands make_export() {
    return commands_of<Export>();
}

}  // namespace decant::cli
