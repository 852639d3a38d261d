#include <fmt/format.h>

#include "cli/commands.hpp"
#include "core/json.hpp"
#include "core/utf8.hpp"
#include "operate/roles.hpp"
#include "store/database_address.hpp"

namespace decant::cli {
namespace {

class SchemaRoles final : public Command {
public:
    SchemaRoles()
        : Command("schema roles", "Print the SQL of three roles with no more rights than they need: owner, app, reader",
                  {"decant schema roles", "decant schema roles --apply", "decant schema roles --prefix shop --apply"}) {
    }
    void declare(Options& options) override {
        options.text("--prefix", prefix_, "PREFIX_owner, PREFIX_app, PREFIX_reader (default: the database's name)");
        options.flag("--apply", applies_, "Run it; it may be run again, as after a new `schema up`");
    }

    int run(const Context& context) override {
        pg::Connection db = pg::Connection::open(store::resolve_database(context.settings).conninfo);
        const operate::RoleNames names = operate::role_names(prefix_.value_or(db.database()));
        const std::vector<std::string> statements = operate::plan_roles(db, names);
        if (applies_) operate::apply_roles(db, statements);
        if (context.json)
            print_json(names, statements);
        else if (applies_)
            print_applied(names, statements.size());
        else
            print_sql(statements);
        return 0;
    }

private:
    void print_json(const operate::RoleNames& names, const std::vector<std::string>& statements) const {
        fmt::print("{}\n", json_text(json::object{{"owner", names.owner},
                                                  {"application", names.application},
                                                  {"reader", names.reader},
                                                  {"applied", applies_},
                                                  {"statements", json::array(statements.begin(), statements.end())}}));
    }

    static void print_sql(const std::vector<std::string>& statements) {
        fmt::print("BEGIN;\n");
        for (const std::string& statement : statements)
            fmt::print("{};\n", statement);
        fmt::print("COMMIT;\n");
    }

    static void print_applied(const operate::RoleNames& names, std::size_t statements) {
        fmt::print(
            "{:<24}  owns the catalog: schema up and down, migrate, copy, key, reindex\n"
            "{:<24}  reads and writes its rows: serve, worker, embed, sync, products\n"
            "{:<24}  reads what a search needs: search, similar\n"
            "{} statements in one transaction. A role that is new has no password: set one with \\password in psql.\n",
            printable(names.owner), printable(names.application), printable(names.reader), statements);
    }

    std::optional<std::string> prefix_;
    bool applies_ = false;
};

}  // namespace

Commands make_schema_roles() {
    return commands_of<SchemaRoles>();
}

}  // namespace decant::cli
