#include "cli/commands.hpp"

#include <fmt/format.h>

#include "cli/copy_text.hpp"
#include "cli/meter_observer.hpp"
#include "core/enum_names.hpp"
#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/json.hpp"
#include "core/utf8.hpp"
#include "migrate/copy_json.hpp"
#include "migrate/replace.hpp"
#include "migrate/verify_table.hpp"
#include "store/database_address.hpp"

namespace decant::cli {
namespace {

constexpr EnumNames<migrate::VerifySide, 3> sides{{"auto", "source", "digests"}};

class Verify final : public Command {
public:
    Verify()
        : Command("verify", "Read a copied table back and compare every value with its source",
                  {"decant verify products", "decant verify", "decant verify products --against digests --json"}) {}
    void declare(Options& options) override {
        options.optional_positional("TABLE", table_, "Table that decant copied (default: all of them)");
        options.text("--schema", schema_, "Schema of the table (default: public; without TABLE: all)");
        options.text("--from", from_, "Chroma directory or server (default: the directory it was copied from)");
        options.choice("--against", against_, {"auto", "source", "digests"},
                       "What to compare with (default: auto, the source where it is as it was copied)");
    }

    int run(const Context& context) override {
        catch_interrupts();
        const std::string conninfo = store::resolve_database(context.settings).conninfo;
        std::vector<migrate::TableName> tables;
        if (table_)
            tables.push_back({schema_.value_or("public"), *table_});
        else
            tables = tables_of_schema(migrate::copied_tables(conninfo));
        if (tables.empty()) {
            throw Error{ErrorCode::not_found,
                        schema_ ? fmt::format("No table in schema '{}' was copied by decant", *schema_)
                                : "No table in this database was copied by decant",
                        "Copy one first: decant copy --from DIR --collection NAME."};
        }
        bool is_equal = true;
        json::array reports;
        for (const migrate::TableName& table : tables) {
            MeterObserver observer;
            migrate::VerifyTableRequest request{.conninfo = conninfo, .table = table, .side = *sides.find(against_)};
            if (from_) request.source = chroma::source_address(context.settings, from_);
            const migrate::VerifyTableReport report = migrate::verify_table(request, observer);
            is_equal = is_equal && report.outcome.is_equal();
            if (context.json)
                reports.push_back(migrate::verification_json(report));
            else
                fmt::print("{}", verify_text(report));
        }
        if (context.json) fmt::print("{}\n", json_text(reports));
        return is_equal ? 0 : 1;
    }

private:
    /// Without --schema those of all schemas.
    std::vector<migrate::TableName> tables_of_schema(std::vector<migrate::TableName> tables) const {
        if (schema_) std::erase_if(tables, [this](const auto& table) { return table.schema != *schema_; });
        return tables;
    }

    std::optional<std::string> table_;
    std::optional<std::string> from_;
    std::optional<std::string> schema_;
    std::string against_ = "auto";
};

}  // namespace

Commands make_verify() {
    return commands_of<Verify>();
}

}  // namespace decant::cli
