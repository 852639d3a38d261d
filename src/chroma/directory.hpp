#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chroma/record_reader.hpp"

namespace decant::chroma {

/// Something wrong with the directory that inspect shows and copy warns about.
struct Finding {
    enum class Severity { note, warning, damage };
    Severity severity;
    std::string object;    ///< file or table, relative to the directory
    std::string happened;  ///< one sentence with its values
};

/// What inspect tells of one collection without reading its vectors.
struct CollectionSurvey {
    Collection collection;
    std::uint64_t records = 0;
    std::uint64_t vectors_in_hnsw = 0;
    std::uint64_t vectors_in_wal = 0;  ///< newest vector only in embeddings_queue
    std::uint64_t records_lost = 0;
    std::uint64_t wal_rows = 0;  ///< rows of the topic still in embeddings_queue
    std::uint64_t wal_gap = 0;   ///< of these, rows that the vector segment has not applied
    std::vector<Finding> findings;
};

/// A persisted Chroma directory, opened read-only. A directory that another process uses (or that was left with a hot
/// journal) is read from a consistent private copy, deleted with this object. Movable, one thread at a time.
class Directory {
public:
    /// `path` is the directory or one at most three levels above the chroma.sqlite3. Throws Error{not_found} when there
    /// is none, Error{source_unreadable} for a 0.3 (Parquet) directory, a file that is no Chroma database, or damage
    /// that leaves nothing to read.
    static Directory open(const std::filesystem::path& path);
    Directory(Directory&&) noexcept;
    Directory& operator=(Directory&&) noexcept;
    ~Directory();

    const std::filesystem::path& path() const noexcept;  ///< the folder of chroma.sqlite3 as given, never the copy

    /// Set when a private copy is read: why ("process 4711 (python3) has chroma.sqlite3 open"), and the newest seq_id.
    struct Snapshot {
        std::string reason;
        std::uint64_t seq_id;
    };
    const std::optional<Snapshot>& snapshot() const noexcept;

    /// Sorted by tenant, database, name; orphan segments last.
    const std::vector<Collection>& collections() const noexcept;

    /// Findings that belong to no collection: orphan folders, unknown migrations, damaged tables.
    const std::vector<Finding>& findings() const noexcept;

    CollectionSurvey survey(const Collection& collection) const;

    /// The reader keeps what it needs open; it may outlive the Directory only where no snapshot() is in use.
    std::unique_ptr<RecordReader> read(const Collection& collection) const;

private:
    struct State;
    explicit Directory(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

struct CollectionName {
    std::optional<std::string> tenant = {};
    std::optional<std::string> database = {};
    std::string name;  ///< or the collection's uuid
};

/// The one collection that fits. Throws Error{not_found} naming the nearest, Error{conflict} when several databases
/// have it (remedy: --tenant, --database).
const Collection& find_collection(const Directory& directory, const CollectionName& wanted);

}  // namespace decant::chroma
