#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/json.hpp"
#include "operate/database_properties.hpp"
#include "operate/table_digest.hpp"

namespace decant::operate {

inline constexpr const char* manifest_name = "manifest.json";

struct BackupFile {
    std::string name;  ///< in the backup's folder
    std::uint64_t bytes = 0;
    std::string sha256;  ///< hexadecimal
};

/// Reads all of it. Throws Error{source_unreadable}.
BackupFile measure_file(const std::filesystem::path& path);

struct DatabaseBackup {
    BackupFile file;
    std::string system_identifier;  ///< of the server's data, for all its life; empty: it was not told
    std::string server_version;     ///< "18.1"
    std::string pg_dump_version;    ///< the same; pg_restore must not be older
    DatabaseProperties properties;
    std::vector<TableDigest> tables;

    std::uint64_t rows() const noexcept;
};

struct CollectionCount {
    std::string name;
    std::string id;
    std::uint64_t records = 0;
};

struct ChromaBackup {
    BackupFile file;
    std::string path;  ///< where the directory was
    std::uint64_t seq_id = 0;
    std::vector<CollectionCount> collections;
};

/// What a backup holds. Its file is written last: a folder without it is no backup.
struct Manifest {
    std::string decant_version;
    std::string made_at;  ///< UTC, ISO 8601
    DatabaseBackup database;
    std::optional<ChromaBackup> chroma;

    std::vector<BackupFile> files() const;
    std::uint64_t bytes() const;
};

json::object json_of(const Manifest& manifest);

/// The file's text: {"sha256":DIGEST,… where DIGEST is that of all bytes behind it, so that no byte can change unseen.
std::string text_of(const Manifest& manifest);

/// Of the backup in `folder`. Throws Error{not_found} where there is no folder, Error{source_unreadable} where the
/// manifest is missing, changed or of a newer decant.
Manifest read_manifest(const std::filesystem::path& folder);

}  // namespace decant::operate
