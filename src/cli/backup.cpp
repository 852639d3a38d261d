#include "operate/backup.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "chroma/source.hpp"
#include "cli/commands.hpp"
#include "cli/version.hpp"
#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/quantity_text.hpp"
#include "core/shell_word.hpp"
#include "core/table.hpp"
#include "core/utf8.hpp"
#include "store/database_address.hpp"

namespace decant::cli {
namespace {

namespace fs = std::filesystem;
using operate::BackupEntry;
using operate::BackupFinding;
using operate::Manifest;

constexpr auto usual_place = "backups";

std::uint64_t records_of(const operate::ChromaBackup& chroma) {
    std::uint64_t sum = 0;
    for (const operate::CollectionCount& collection : chroma.collections)
        sum += collection.records;
    return sum;
}

void print_content(const Manifest& manifest) {
    const operate::DatabaseBackup& database = manifest.database;
    fmt::print("database   {}: {} rows of {} tables, {} in {}\n", printable(database.properties.name),
               grouped(database.rows()), database.tables.size(), bytes_text(database.file.bytes), database.file.name);
    if (!manifest.chroma) return;
    const operate::ChromaBackup& chroma = *manifest.chroma;
    fmt::print("chroma     {}: {} records of {} collections, {} in {}\n", printable(chroma.path),
               grouped(records_of(chroma)), chroma.collections.size(), bytes_text(chroma.file.bytes), chroma.file.name);
}

class Backup final : public Command {
public:
    Backup()
        : Command("backup", "Back up the database and the Chroma directory, beside running writes and searches",
                  {"decant backup", "decant backup --to /srv/backups --keep 7", "decant backup --from data/vector_db",
                   "decant backup --no-chroma"}) {}
    void declare(Options& options) override {
        options.text("--to", to_, "Folder of the backups, each in a folder of its own (default: backups)");
        options.text("--from", from_, "Chroma directory (default: CHROMA_PATH, where it is there)");
        options.flag("--no-chroma", has_no_chroma_, "Only the database");
        options.number("--keep", keep_, "Then remove older backups of this database but the newest N");
    }

    int run(const Context& context) override {
        if (keep_ && *keep_ == 0) {
            throw Error{ErrorCode::request_invalid, "--keep 0 would keep no backup, not even this one",
                        "Give 1 or more, or leave it out to keep all."};
        }
        catch_interrupts();
        const operate::BackupReport report =
            operate::make_backup({.conninfo = store::resolve_database(context.settings).conninfo,
                                  .place = to_,
                                  .chroma = find_chroma(context),
                                  .postgres_folder = context.settings.get("DECANT_POSTGRES_DIR"),
                                  .decant_version = DECANT_VERSION,
                                  .keep = static_cast<std::size_t>(keep_.value_or(0))});
        if (context.json)
            print_json(report);
        else
            print_text(report);
        return 0;
    }

private:
    /// What was named must be there; the default directory may be missing.
    std::optional<fs::path> find_chroma(const Context& context) const {
        if (has_no_chroma_) return std::nullopt;
        const chroma::SourceAddress address = chroma::source_address(context.settings, from_);
        if (address.is_server()) {
            if (from_) {
                throw Error{ErrorCode::request_invalid,
                            "--from names a server, whose directory cannot be read from here",
                            "Run this on the server's machine with --from DIRECTORY, or give --no-chroma."};
            }
            log::warning(
                "CHROMA_URL names a server: only the database is backed up; run this on the server's machine "
                "with --from DIRECTORY for the rest");
            return std::nullopt;
        }
        const bool is_named = from_ || context.settings.origin("CHROMA_PATH") != SettingOrigin::default_value;
        std::error_code ignored;
        if (is_named || fs::exists(address.from, ignored)) return address.from;
        log::warning("There is no Chroma directory {}: only the database is backed up", address.from);
        return std::nullopt;
    }

    static void print_json(const operate::BackupReport& report) {
        json::array removed;
        for (const fs::path& folder : report.removed)
            removed.emplace_back(folder.string());
        fmt::print("{}\n", json_text(json::object{{"folder", report.folder.string()},
                                                  {"bytes", report.manifest.bytes()},
                                                  {"seconds", report.seconds},
                                                  {"manifest", operate::json_of(report.manifest)},
                                                  {"removed", std::move(removed)}}));
    }

    static void print_text(const operate::BackupReport& report) {
        print_content(report.manifest);
        for (const fs::path& folder : report.removed)
            fmt::print("removed    {}\n", printable(folder.string()));
        fmt::print("Backed up to {} ({}, {:.1f} s). Check it: decant backup verify {}\n",
                   printable(report.folder.string()), bytes_text(report.manifest.bytes()), report.seconds,
                   printable(shell_word(report.folder.string())));
    }

    std::string to_ = usual_place;
    std::optional<std::string> from_;
    std::optional<std::uint64_t> keep_;
    bool has_no_chroma_ = false;
};

class BackupVerify final : public Command {
public:
    BackupVerify()
        : Command("backup verify", "Compare every byte of a backup with its manifest; exit 1 when it is not whole",
                  {"decant backup verify backups/20261129T013000Z",
                   "decant backup verify backups/20261129T013000Z --deep"}) {}
    void declare(Options& options) override {
        options.required_positional("DIR", folder_, "Folder of the backup");
        options.flag("--deep", is_deep_, "Also restore it into a database of its own and compare every row and vector");
    }

    int run(const Context& context) override {
        catch_interrupts();
        operate::BackupCheck check = operate::check_backup(folder_);
        if (is_deep_ && check.is_whole()) {
            operate::check_deeply(check, folder_, store::resolve_database(context.settings).conninfo,
                                  context.settings.get("DECANT_POSTGRES_DIR"));
        }
        if (context.json)
            print_json(check);
        else
            print_text(check);
        return check.is_whole() ? 0 : 1;
    }

private:
    void print_json(const operate::BackupCheck& check) const {
        json::array findings;
        for (const BackupFinding& finding : check.findings) {
            findings.push_back(
                json::object{{"what", finding.what}, {"is_whole", finding.fault.empty()}, {"fault", finding.fault}});
        }
        fmt::print("{}\n", json_text(json::object{{"folder", folder_},
                                                  {"is_whole", check.is_whole()},
                                                  {"is_deep", is_deep_},
                                                  {"findings", std::move(findings)}}));
    }

    void print_text(const operate::BackupCheck& check) const {
        for (const BackupFinding& finding : check.findings)
            fmt::print("{:<8}  {}{}{}\n", finding.fault.empty() ? "whole" : "DAMAGED", printable(finding.what),
                       finding.fault.empty() ? "" : ": ", printable(finding.fault));
        if (check.is_whole()) {
            print_content(*check.manifest);
            fmt::print("Backup {} is whole{}\n", printable(folder_),
                       is_deep_ ? ", and what was restored of it is what was backed up" : "");
        } else {
            fmt::print("Backup {} is NOT whole: do not count on it\n", printable(folder_));
        }
    }

    std::string folder_;
    bool is_deep_ = false;
};

class BackupList final : public Command {
public:
    BackupList()
        : Command("backup list", "List the backups, the newest first; files are not read",
                  {"decant backup list", "decant backup list /srv/backups --json"}) {}
    void declare(Options& options) override {
        options.optional_positional("DIR", place_, "Folder of the backups (default: backups)");
    }

    int run(const Context& context) override {
        const std::vector<BackupEntry> entries = operate::list_backups(place_.value_or(usual_place));
        if (context.json)
            print_json(entries);
        else
            print_text(entries);
        return 0;
    }

private:
    static void print_json(const std::vector<BackupEntry>& entries) {
        json::array out;
        for (const BackupEntry& entry : entries) {
            json::object shown{{"folder", entry.path.string()},
                               {"is_whole", entry.fault.empty()},
                               {"fault", entry.fault},
                               {"manifest", nullptr}};
            if (entry.manifest) shown["manifest"] = operate::json_of(*entry.manifest);
            out.push_back(std::move(shown));
        }
        fmt::print("{}\n", json_text(out));
    }

    static void print_text(const std::vector<BackupEntry>& entries) {
        using enum Table::Align;
        Table table{
            {{"backup"}, {"made (UTC)"}, {"database"}, {"rows", right}, {"chroma", right}, {"size", right}, {"state"}}};
        for (const BackupEntry& entry : entries) {
            if (!entry.manifest) {
                table.add_row({entry.path.string(), "", "", "", "", "", entry.fault});
                continue;
            }
            const Manifest& manifest = *entry.manifest;
            table.add_row({entry.path.string(), manifest.made_at, manifest.database.properties.name,
                           grouped(manifest.database.rows()),
                           manifest.chroma ? grouped(records_of(*manifest.chroma)) : "-", bytes_text(manifest.bytes()),
                           entry.fault.empty() ? "whole" : entry.fault});
        }
        fmt::print("{}", table.text());
    }

    std::optional<std::string> place_;
};

}  // namespace

Commands make_backup() {
    return commands_of<Backup, BackupVerify, BackupList>();
}

}  // namespace decant::cli
