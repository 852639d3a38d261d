#include "operate/restore.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <chrono>
#include <ctime>

#include "chroma/directory_snapshot.hpp"
#include "core/elapsed.hpp"
#include "core/error.hpp"
#include "core/failpoint.hpp"
#include "core/shell_word.hpp"
#include "operate/backup.hpp"
#include "operate/chroma_archive.hpp"
#include "operate/operation_lock.hpp"
#include "operate/postgres_tool.hpp"
#include "operate/unfinished_folder.hpp"

namespace decant::operate {
namespace {

namespace fs = std::filesystem;

Manifest read_whole_backup(const fs::path& folder) {
    BackupCheck check = check_backup(folder);
    if (check.is_whole()) return std::move(*check.manifest);
    std::string faults;
    for (const BackupFinding& finding : check.findings) {
        if (!finding.fault.empty())
            faults += fmt::format("{}{}: {}", faults.empty() ? "" : "; ", finding.what, finding.fault);
    }
    throw Error{ErrorCode::source_unreadable, fmt::format("{} is no whole backup: {}", folder.string(), faults),
                "Restore another one: `decant backup list` shows which there are. Nothing was changed."};
}

/// One that no database has yet, of at most 63 bytes, as names of PostgreSQL are.
std::string kept_name(const RestoreRequest& request, const std::tm& now) {
    constexpr std::size_t most_bytes = 63;
    for (int number = 1;; ++number) {
        const std::string suffix =
            fmt::format("_before_{:%Y%m%d_%H%M%S}{}", now, number == 1 ? "" : fmt::format("_{}", number));
        std::string name = request.database.substr(0, most_bytes - suffix.size()) + suffix;
        if (!has_database(request.conninfo, name)) return name;
    }
}

bool is_taken(const fs::path& folder) {
    std::error_code ignored;
    return fs::exists(folder, ignored) && !fs::is_empty(folder, ignored);
}

void refuse_differences(const std::vector<std::string>& said, std::string_view what) {
    if (said.empty()) return;
    throw Error{ErrorCode::store_rejected,
                fmt::format("What was restored of the {} is not what was backed up: {}", what, fmt::join(said, "; ")),
                "Nothing was changed. Check the backup with `decant backup verify DIR --deep`."};
}

void require_free_directory(const fs::path& directory) {
    if (const auto user = chroma::find_directory_user(directory)) {
        throw Error{ErrorCode::busy, fmt::format("{} is in use: {}", directory.string(), *user),
                    "Stop what uses it, or name another place with --chroma-to. Nothing was changed."};
    }
}

/// Where the kernel does not tell (before Linux 5.8): another device than its folder's.
bool is_mount_point(const fs::path& path) {
    struct statx status{};
    if (::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &status) != 0) return false;
    if ((status.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0)
        return (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
    struct statx parent{};
    if (::statx(AT_FDCWD, path.parent_path().c_str(), 0, STATX_BASIC_STATS, &parent) != 0) return false;
    return status.stx_dev_major != parent.stx_dev_major || status.stx_dev_minor != parent.stx_dev_minor;
}

void require_replaceable(const fs::path& directory) {
    if (!is_mount_point(directory)) return;
    throw Error{ErrorCode::request_invalid,
                fmt::format("{} is a mount point, whose place no other folder can take", directory.string()),
                "Name a folder in it, or another place, with --chroma-to. Nothing was changed."};
}

fs::path without_slash(const fs::path& path) {
    const fs::path whole = fs::absolute(path).lexically_normal();
    return whole.has_filename() ? whole : whole.parent_path();
}

/// The Chroma directory of the backup, unpacked beside its place.
class UnpackedDirectory {
public:
    UnpackedDirectory(const fs::path& archive, const ChromaBackup& backup, const fs::path& place)
        : place_(without_slash(place)), folder_(place_.parent_path(), ".decant-unpacked-") {
        require_free_directory(place_);
        refuse_differences(unpack_directory(backup, archive, folder_.path()), "Chroma directory");
        failpoint("restore.unpacked");
    }

    void require_free() const { require_free_directory(place_); }

    std::optional<fs::path> take_place(const std::tm& now) {
        require_free();
        std::optional<fs::path> kept;
        if (is_taken(place_)) {
            kept = free_path(fmt::format("{}_before_{:%Y%m%d_%H%M%S}", place_.string(), now));
            folder_.take_the_place_of(place_, *kept);
        } else {
            folder_.become(place_);
        }
        failpoint("restore.placed");
        return kept;
    }

private:
    fs::path place_;
    UnfinishedFolder folder_;
};

/// Where the directory that was there is now. The database has its name already, and no error may sound as if not.
std::optional<fs::path> place_directory(UnpackedDirectory& directory, const RestoreRequest& request,
                                        const RestoreReport& report, const std::tm& now) {
    try {
        return directory.take_place(now);
    } catch (const Error& error) {
        const std::string kept =
            report.previous.empty() ? "" : fmt::format(", and the one before is kept as '{}'", report.previous);
        const std::string archive = (request.folder / report.manifest.chroma->file.name).string();
        throw Error{
            error.code(),
            fmt::format("Database '{}' is restored{}; the Chroma directory is not: {}", request.database, kept,
                        error.happened()),
            fmt::format("The directory is as it was. When nothing uses it, unpack the backup's into a new one "
                        "and move that to its place: mkdir {0} && tar -xzf {1} -C {0}",
                        shell_word(without_slash(*request.chroma).string() + "_restored"), shell_word(archive))};
    }
}

}  // namespace

std::vector<std::string> find_in_the_way(const RestoreRequest& request) {
    std::vector<std::string> found;
    if (has_database(request.conninfo, request.database))
        found.push_back(fmt::format("database '{}'", request.database));
    if (request.chroma && is_taken(*request.chroma))
        found.push_back(fmt::format("directory {}", request.chroma->string()));
    return found;
}

RestoreReport restore_backup(const RestoreRequest& request) {
    const auto start = std::chrono::steady_clock::now();
    const std::tm now = fmt::gmtime(std::time(nullptr));
    RestoreReport report{.manifest = read_whole_backup(request.folder), .previous = {}};
    const DatabaseBackup& backup = report.manifest.database;
    if (request.chroma && !report.manifest.chroma) {
        throw Error{ErrorCode::request_invalid, fmt::format("{} holds no Chroma directory", request.folder.string()),
                    "Leave --chroma-to out, or name another backup."};
    }
    if (request.chroma) require_replaceable(without_slash(*request.chroma));
    const std::vector<std::string> in_the_way = find_in_the_way(request);
    if (!in_the_way.empty() && !request.replaces) {
        throw Error{ErrorCode::conflict, fmt::format("There is already {}", fmt::join(in_the_way, " and ")),
                    "Name others with --into and --chroma-to, or have them replaced with --yes: they are kept under "
                    "other names."};
    }
    const bool is_live = has_database(request.conninfo, request.database);
    std::optional<OperationLock> lock;
    if (is_live) lock.emplace(with_database(request.conninfo, request.database), "restore");
    if (request.chroma) require_free_directory(without_slash(*request.chroma));
    RestoreOptions options = request.options;
    options.takes_name_of = request.database;
    RestoredDatabase restored{request.conninfo, backup, options};
    restored.load(request.folder / backup.file.name);
    refuse_differences(restored.differences(), "database");
    failpoint("restore.proven");
    std::optional<UnpackedDirectory> directory;
    if (request.chroma)
        directory.emplace(request.folder / report.manifest.chroma->file.name, *report.manifest.chroma, *request.chroma);
    report.notes = restored.apply_properties();
    if (is_live) report.previous = kept_name(request, now);
    if (directory) directory->require_free();
    lock.reset();  // its session would keep the database from being renamed
    restored.take_name(request.database, is_live ? std::optional{report.previous} : std::nullopt);
    failpoint("restore.swapped");
    if (directory) report.previous_chroma = place_directory(*directory, request, report, now);
    report.seconds = milliseconds_since(start) / 1000;
    return report;
}

}  // namespace decant::operate
