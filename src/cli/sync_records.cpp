#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/product_columns.hpp"
#include "cli/sync_text.hpp"
#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/read_file.hpp"
#include "core/utf8.hpp"
#include "store/database_address.hpp"
#include "sync/record_pages.hpp"
#include "sync/record_sync.hpp"

namespace decant::cli {
namespace {

/// What `sync csv` and `sync sql` have in common.
class SyncRecords : public Command {
public:
    using Command::Command;
    void declare(Options& options) override {
        options.flag("--full", full_,
                     "These are all products: what an earlier run had and these lack is deactivated, up to a floor");
        options.flag("--dry-run", dry_run_, "Count what would be written, and write nothing");
        options.number("--max", max_, "End after about so many; nothing is deactivated then");
    }

protected:
    template <typename Pages>
    int bring(const Context& context, Pages& pages, const std::string& source, const std::string& origin) const {
        const sync::SyncReport report = sync::sync_records(
            context.settings, store::resolve_database(context.settings).conninfo,
            {.source = source, .origin = origin, .is_full = full_, .dry_run = dry_run_, .max = max_, .next = [&] {
                 return pages.next();
             }});
        warn_of_columns(pages.unknown_columns(), "synced");
        print_sync(report, context.json);
        return exit_code_of(report);
    }

private:
    bool full_ = false;
    bool dry_run_ = false;
    std::optional<std::uint64_t> max_;
};

class SyncCsv final : public SyncRecords {
public:
    SyncCsv()
        : SyncRecords("sync csv", "Bring the products of a CSV, JSON or JSONL file into the catalog",
                      {"decant sync csv products.csv", "decant sync csv --full - < all.csv"}) {}
    void declare(Options& options) override {
        options.required_positional("FILE", file_, "The file, or - for standard input");
        SyncRecords::declare(options);
    }

    int run(const Context& context) override {
        catch_interrupts();
        const std::string text = read_file(file_, product_file);
        sync::FilePages pages{text};
        return bring(context, pages, "csv", file_);
    }

private:
    std::string file_;
};

class SyncSql final : public SyncRecords {
public:
    SyncSql()
        : SyncRecords("sync sql", "Bring the products that a query of another database gives into the catalog",
                      {"decant sync sql --dsn 'host=erp dbname=shop' --query 'SELECT code AS sku, title AS name, price "
                       "FROM items'"}) {}
    void declare(Options& options) override {
        options.text("--dsn", dsn_, "The other PostgreSQL, as libpq writes it; its password better in ~/.pgpass");
        options.text("--query", query_, "One SELECT whose columns are named as those of a product, sku among them");
        SyncRecords::declare(options);
    }

    int run(const Context& context) override {
        catch_interrupts();
        for (const auto& [option, value] : {std::pair{"--dsn", dsn_}, std::pair{"--query", query_}}) {
            if (!value.empty()) continue;
            throw Error{ErrorCode::request_malformed, fmt::format("`decant sync sql` needs {}", option),
                        "See `decant sync sql --help`."};
        }
        pg::Connection db = pg::Connection::open(store::checked_conninfo(dsn_, "--dsn"));
        const std::string origin = fmt::format("{}:{}/{}", db.host(), db.port(), db.database());
        sync::QueryPages pages{db, query_};
        return bring(context, pages, "sql", origin);
    }

private:
    std::string dsn_;
    std::string query_;
};

}  // namespace

Commands make_sync_records() {
    return commands_of<SyncCsv, SyncSql>();
}

}  // namespace decant::cli
