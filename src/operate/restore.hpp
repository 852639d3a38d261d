#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "operate/backup_manifest.hpp"
#include "operate/restored_database.hpp"

namespace decant::operate {

struct RestoreRequest {
    std::filesystem::path folder;                      ///< of the backup
    std::string conninfo;                              ///< the server
    std::string database;                              ///< the name that it is to have
    std::optional<std::filesystem::path> chroma = {};  ///< where the Chroma directory is to be; none: it stays packed
    bool replaces = false;                             ///< what is there under these names
    RestoreOptions options = {};
};

struct RestoreReport {
    Manifest manifest;
    std::string previous;                                       ///< the database that had the name; empty: none had
    std::optional<std::filesystem::path> previous_chroma = {};  ///< where the directory that was there is now
    std::vector<std::string> notes = {};                        ///< what could not be taken over
    double seconds = 0;
};

/// What of the request is there already: "database 'aynux'", "directory data/vector_db".
std::vector<std::string> find_in_the_way(const RestoreRequest& request);

/// Reads every byte of the backup first; restores beside what is there, compares every table, then takes the names in
/// one transaction; the database that had the name, and the directory, are kept under other names. A run that fails or
/// is killed leaves what was there as it was, and the next one removes what it left. Throws Error{source_unreadable}
/// for a damaged backup, Error{conflict} for what is in the way without `replaces`, Error{request_invalid} for a
/// directory that is a mount point, Error{busy} where another process works on the same, Error{store_rejected} where
/// the restored rows differ. An error after the database took its name says so, and names the one before.
RestoreReport restore_backup(const RestoreRequest& request);

}  // namespace decant::operate
