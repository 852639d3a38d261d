#include "operate/restore.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/commands.hpp"
#include "cli/confirm.hpp"
#include "core/interrupt.hpp"
#include "core/json_members.hpp"
#include "core/log.hpp"
#include "core/quantity_text.hpp"
#include "core/shell_word.hpp"
#include "core/utf8.hpp"
#include "pg/conninfo.hpp"
#include "store/database_address.hpp"

namespace decant::cli {
namespace {

class Restore final : public Command {
public:
    Restore()
        : Command("restore", "Restore a backup beside what is there, prove it equal, then give it the names",
                  {"decant restore backups/20261129T013000Z --into aynux_check",
                   "decant restore backups/20261129T013000Z --chroma-to data/vector_db --yes"}) {}
    void declare(Options& options) override {
        options.required_positional("DIR", folder_, "Folder of the backup");
        options.text("--into", into_, "Name of the database (default: the one that the settings name)");
        options.text("--chroma-to", chroma_to_, "Also unpack the Chroma directory, to this path");
        options.flag("--no-owner", has_no_owner_, "Everything belongs to the connected role; grants are left out");
        options.flag("--yes", is_confirmed_, "Do not ask whether to take the place of what is there; it is kept aside");
    }

    int run(const Context& context) override {
        const std::string conninfo = store::resolve_database(context.settings).conninfo;
        operate::RestoreRequest request{.folder = folder_,
                                        .conninfo = conninfo,
                                        .database = into_ ? *into_ : named_database(conninfo),
                                        .replaces = is_confirmed_,
                                        .options = {.keeps_owners = !has_no_owner_,
                                                    .postgres_folder = context.settings.get("DECANT_POSTGRES_DIR")}};
        if (chroma_to_) request.chroma = *chroma_to_;
        if (!is_confirmed_ && !may_replace(request)) return 1;
        catch_interrupts();
        const operate::RestoreReport report = operate::restore_backup(request);
        for (const std::string& note : report.notes)
            log::warning("{}", printable(note));
        if (context.json)
            print_json(request, report);
        else
            print_text(request, report);
        return 0;
    }

private:
    static std::string named_database(const std::string& conninfo) {
        const pg::Keywords keywords = pg::parse_conninfo(conninfo).value_or(pg::Keywords{});
        if (const auto named = keywords.find("dbname"); named != keywords.end()) return named->second;
        return pg::Connection::open(conninfo).database();
    }

    bool may_replace(operate::RestoreRequest& request) const {
        const std::vector<std::string> there = operate::find_in_the_way(request);
        if (there.empty()) return true;
        request.replaces = confirm(
            fmt::format("restore puts the backup in the place of {}, which is kept under another name, and ends the "
                        "sessions there (--into and --chroma-to restore beside it)",
                        fmt::join(there, " and ")),
            "decant restore " + shell_word(folder_));
        return request.replaces;
    }

    static void print_json(const operate::RestoreRequest& request, const operate::RestoreReport& report) {
        json::object out{{"database", request.database},
                         {"rows", report.manifest.database.rows()},
                         {"tables", report.manifest.database.tables.size()},
                         {"previous_database", text_or_null(report.previous)},
                         {"chroma", nullptr},
                         {"previous_chroma", nullptr},
                         {"notes", json::array(report.notes.begin(), report.notes.end())},
                         {"seconds", report.seconds}};
        if (request.chroma) out["chroma"] = request.chroma->string();
        if (report.previous_chroma) out["previous_chroma"] = report.previous_chroma->string();
        fmt::print("{}\n", json_text(out));
    }

    static void print_text(const operate::RestoreRequest& request, const operate::RestoreReport& report) {
        const operate::DatabaseBackup& backup = report.manifest.database;
        fmt::print("database   {}: {} rows of {} tables, each compared with the backup\n", printable(request.database),
                   grouped(backup.rows()), backup.tables.size());
        if (!report.previous.empty())
            fmt::print("           the one before is kept as {}\n", printable(report.previous));
        if (request.chroma) fmt::print("chroma     {}\n", printable(request.chroma->string()));
        if (report.previous_chroma)
            fmt::print("           the one before is kept as {}\n", printable(report.previous_chroma->string()));
        if (!request.chroma && report.manifest.chroma)
            fmt::print("chroma     not restored: --chroma-to DIR unpacks it\n");
        fmt::print("Restored in {:.1f} s.\n", report.seconds);
    }

    std::string folder_;
    std::optional<std::string> into_;
    std::optional<std::string> chroma_to_;
    bool has_no_owner_ = false;
    bool is_confirmed_ = false;
};

}  // namespace

Commands make_restore() {
    return commands_of<Restore>();
}

}  // namespace decant::cli
