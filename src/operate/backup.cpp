#include "operate/backup.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <functional>
#include <memory>

#include "core/elapsed.hpp"
#include "core/error.hpp"
#include "core/failpoint.hpp"
#include "core/log.hpp"
#include "core/quantity_text.hpp"
#include "core/utf8.hpp"
#include "core/write_file.hpp"
#include "operate/chroma_archive.hpp"
#include "operate/postgres_tool.hpp"
#include "operate/restored_database.hpp"
#include "operate/unfinished_folder.hpp"

namespace decant::operate {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view unfinished_prefix = ".unfinished-";

// What pg_dump may do for longer than the server lets others.
constexpr std::string_view begin_sql =
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL idle_in_transaction_session_timeout = 0; "
    "SET LOCAL statement_timeout = 0";
constexpr std::string_view export_sql = "SELECT pg_catalog.pg_export_snapshot()";
// Some providers keep it to themselves.
constexpr std::string_view may_identify_sql =
    "SELECT pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')";
constexpr std::string_view identify_sql = "SELECT system_identifier FROM pg_catalog.pg_control_system()";
constexpr std::string_view version_sql =
    "SELECT pg_catalog.split_part(pg_catalog.current_setting('server_version'), ' ', 1)";

/// For the name of a file.
std::string plain_name(const std::string& name) {
    std::string plain = name;
    for (char& c : plain) {
        const bool is_plain =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
        if (!is_plain) c = '_';
    }
    return plain;
}

std::string identify_server(pg::Connection& db) {
    if (!db.exec(may_identify_sql).boolean(0, 0)) return {};
    return std::string{db.exec(identify_sql).text(0, 0)};
}

/// A transaction without a snapshot yet, in which no table is dropped, swapped or emptied.
std::unique_ptr<pg::Transaction> begin_locked(pg::Connection& db) {
    for (bool is_last = false;; is_last = true) {
        const std::vector<std::string> tables = digested_tables(db);
        auto tx = std::make_unique<pg::Transaction>(db, begin_sql);
        if (db.server_version() >= 170000) db.exec("SET LOCAL transaction_timeout = 0");
        try {
            lock_tables(db, tables);
            return tx;
        } catch (const Error& error) {
            if (is_last || error.code() != ErrorCode::not_found) throw;  // else one went just now
        }
    }
}

DatabaseBackup dump_database(pg::Connection& db, const BackupRequest& request, const fs::path& folder,
                             const std::tm& now) {
    const PostgresTool pg_dump = find_postgres_tool("pg_dump", db.server_version() / 10000, request.postgres_folder);
    const std::unique_ptr<pg::Transaction> tx = begin_locked(db);
    const std::string snapshot{db.exec(export_sql).text(0, 0)};
    DatabaseBackup backup{.file = {},
                          .system_identifier = identify_server(db),
                          .server_version = std::string{db.exec(version_sql).text(0, 0)},
                          .pg_dump_version = pg_dump.version,
                          .properties = read_database_properties(db),
                          .tables = {}};
    const fs::path file = folder / fmt::format("{}_backup_{:%Y%m%d}.dump", plain_name(db.database()), now);
    run_postgres_tool(
        pg_dump, with_database(request.conninfo, db.database()),
        {"-F", "c", "--snapshot=" + snapshot, "--lock-wait-timeout=60s", "-f", fs::absolute(file).string()});
    failpoint("backup.dumped");
    backup.tables = digest_tables(db);
    backup.file = measure_file(file);
    return backup;
}

/// Databases of other servers may have the same name.
bool is_of_same_database(const DatabaseBackup& one, const DatabaseBackup& other) {
    return !one.system_identifier.empty() && one.system_identifier == other.system_identifier &&
           one.properties.name == other.properties.name;
}

/// The one that was just made is the first of those that are kept, whatever the clock said before. As many stay of
/// those that hold Chroma's directory: it may be gone, and then the newer ones are without it.
std::vector<fs::path> prune(const BackupReport& made, std::size_t keep) {
    std::vector<fs::path> removed;
    std::size_t seen = 1;
    std::size_t seen_with_chroma = made.manifest.chroma ? 1 : 0;
    for (const BackupEntry& entry : list_backups(made.folder.parent_path())) {
        if (entry.path.filename() == made.folder.filename() || !entry.manifest || !entry.fault.empty()) continue;
        if (!is_of_same_database(entry.manifest->database, made.manifest.database)) continue;
        const bool has_chroma = entry.manifest->chroma.has_value();
        if (has_chroma) ++seen_with_chroma;
        if (++seen <= keep || (has_chroma && seen_with_chroma <= keep)) continue;
        // First what makes it a backup, so that a part of it is never taken for one.
        std::error_code failed;
        fs::remove(entry.path / manifest_name, failed);
        if (!failed) fs::remove_all(entry.path, failed);
        if (failed)
            log::warning("{} cannot be removed: {}", printable(entry.path.string()), failed.message());
        else
            removed.push_back(entry.path);
    }
    return removed;
}

/// The name of a backup's folder: 20261129T013000Z, perhaps with -2.
bool is_backup_name(std::string_view name) {
    constexpr std::string_view form = "00000000T000000Z";
    if (name.size() < form.size()) return false;
    for (std::size_t i = 0; i < form.size(); ++i) {
        const bool fits = form[i] == '0' ? name[i] >= '0' && name[i] <= '9' : name[i] == form[i];
        if (!fits) return false;
    }
    return true;
}

BackupEntry read_entry(const fs::path& path) {
    BackupEntry entry{.path = path, .manifest = {}, .fault = {}};
    try {
        entry.manifest = read_manifest(path);
    } catch (const Error& error) {
        entry.fault = error.happened();
        return entry;
    }
    for (const BackupFile& file : entry.manifest->files()) {
        std::error_code failure;
        const auto bytes = fs::file_size(path / file.name, failure);
        if (failure)
            entry.fault = file.name + " is missing";
        else if (bytes != file.bytes)
            entry.fault =
                fmt::format("{} has {} bytes in the place of {}", file.name, grouped(bytes), grouped(file.bytes));
    }
    return entry;
}

std::string fault_of(const fs::path& path, const BackupFile& expected) {
    std::error_code ignored;
    if (!fs::exists(path, ignored)) return "is missing";
    try {
        const BackupFile found = measure_file(path);
        if (found.bytes != expected.bytes)
            return fmt::format("has {} bytes in the place of {}", grouped(found.bytes), grouped(expected.bytes));
        return found.sha256 == expected.sha256 ? "" : "has other bytes than were written";
    } catch (const Error& error) {
        return error.happened();
    }
}

}  // namespace

BackupReport make_backup(const BackupRequest& request) {
    const auto start = std::chrono::steady_clock::now();
    const std::tm now = fmt::gmtime(std::time(nullptr));
    pg::Connection db = pg::Connection::open(request.conninfo);
    UnfinishedFolder folder{request.place, unfinished_prefix};
    failpoint("backup.begun");
    BackupReport report{.folder = {},
                        .manifest = {.decant_version = request.decant_version,
                                     .made_at = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", now),
                                     .database = dump_database(db, request, folder.path(), now),
                                     .chroma = {}},
                        .removed = {}};
    if (request.chroma) {
        const std::string name = fmt::format("chroma_backup_{:%Y%m%d}.tar.gz", now);
        report.manifest.chroma = archive_directory(*request.chroma, folder.path() / name);
    }
    failpoint("backup.archived");
    write_file(folder.path() / manifest_name, text_of(report.manifest));
    failpoint("backup.manifest_written");
    report.folder = free_path(request.place / fmt::format("{:%Y%m%dT%H%M%SZ}", now));
    folder.become(report.folder);
    failpoint("backup.finished");
    if (request.keep > 0) report.removed = prune(report, request.keep);
    report.seconds = milliseconds_since(start) / 1000;
    return report;
}

std::vector<BackupEntry> list_backups(const fs::path& place) {
    std::vector<BackupEntry> entries;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator{place, ignored}) {
        if (entry.is_symlink(ignored) || !entry.is_directory(ignored)) continue;
        if (is_backup_name(entry.path().filename().string())) entries.push_back(read_entry(entry.path()));
    }
    std::ranges::sort(entries, std::greater{}, &BackupEntry::path);
    return entries;
}

bool BackupCheck::is_whole() const {
    return manifest && std::ranges::all_of(findings, &std::string::empty, &BackupFinding::fault);
}

BackupCheck check_backup(const fs::path& folder) {
    BackupCheck check;
    try {
        check.manifest = read_manifest(folder);
    } catch (const Error& error) {
        if (error.code() == ErrorCode::not_found) throw;
        check.findings.push_back({manifest_name, error.happened()});
        return check;
    }
    check.findings.push_back({manifest_name, {}});
    for (const BackupFile& file : check.manifest->files())
        check.findings.push_back({file.name, fault_of(folder / file.name, file)});
    return check;
}

void check_deeply(BackupCheck& check, const fs::path& folder, const std::string& conninfo,
                  const std::optional<std::string>& postgres_folder) {
    const DatabaseBackup& backup = check.manifest->database;
    {
        // Who owns what is nothing to compare, and the roles may be missing here.
        RestoredDatabase database{conninfo, backup, {.keeps_owners = false, .postgres_folder = postgres_folder}};
        database.load(folder / backup.file.name);
        const std::vector<std::string> said = database.differences();
        check.findings.push_back(
            {fmt::format("{} tables, restored", backup.tables.size()), fmt::format("{}", fmt::join(said, "; "))});
    }
    if (!check.manifest->chroma) return;
    const ChromaBackup& chroma = *check.manifest->chroma;
    const UnfinishedFolder unpacked{fs::temp_directory_path(), "decant-unpacked-"};
    const std::vector<std::string> said = unpack_directory(chroma, folder / chroma.file.name, unpacked.path());
    check.findings.push_back(
        {fmt::format("{} collections, unpacked", chroma.collections.size()), fmt::format("{}", fmt::join(said, "; "))});
}

}  // namespace decant::operate
