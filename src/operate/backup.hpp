#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "operate/backup_manifest.hpp"

namespace decant::operate {

struct BackupRequest {
    std::string conninfo;
    std::filesystem::path place;                       ///< the folder of all backups
    std::optional<std::filesystem::path> chroma = {};  ///< the directory; none: the database alone
    std::optional<std::string> postgres_folder = {};   ///< DECANT_POSTGRES_DIR
    std::string decant_version = {};
    std::size_t keep = 0;  ///< whole backups of this database of this server, this one first; 0: all
};

struct BackupReport {
    std::filesystem::path folder;
    Manifest manifest;
    std::vector<std::filesystem::path> removed;  ///< older ones than were to be kept
    double seconds = 0;
};

/// Dumps the database as it is at one moment, with the digest of every table, and the Chroma directory as it is at
/// another, beside running writes and searches. The new folder shows up in `place` when all of it is on the disk: a run
/// that fails or is killed leaves nothing that looks like a backup. While it runs CREATE INDEX CONCURRENTLY waits for
/// it. Throws Error{store_full}, Error{permission_denied}, Error{not_found}, Error{cancelled} and what reading the
/// sources throws.
BackupReport make_backup(const BackupRequest& request);

/// A folder of the place.
struct BackupEntry {
    std::filesystem::path path;
    std::optional<Manifest> manifest;  ///< none: no whole backup
    std::string fault;                 ///< why not; also for a file that is missing or of another size
};

/// The newest first. Reads the manifests, not the files. Nothing where there is no such place.
std::vector<BackupEntry> list_backups(const std::filesystem::path& place);

/// What was looked at, and what is wrong with it; empty: nothing.
struct BackupFinding {
    std::string what;
    std::string fault;
};

struct BackupCheck {
    std::optional<Manifest> manifest;
    std::vector<BackupFinding> findings;

    bool is_whole() const;
};

/// Reads every byte of a backup and compares it with the manifest. Throws Error{not_found} where there is no folder.
BackupCheck check_backup(const std::filesystem::path& folder);

/// As check_backup, which must have found it whole, goes on: restores the dump into a database of its own on the server
/// of `conninfo`, compares every table's rows and digest, unpacks the Chroma directory and counts its records. Both are
/// removed again. Adds its findings. Throws what restoring throws.
void check_deeply(BackupCheck& check, const std::filesystem::path& folder, const std::string& conninfo,
                  const std::optional<std::string>& postgres_folder);

}  // namespace decant::operate
