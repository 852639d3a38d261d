#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "chroma/record_reader.hpp"

namespace decant {
class Settings;
}

namespace decant::chroma {

/// Something wrong with the source that inspect shows and copy warns about.
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
    bool tells_places = true;  ///< false of a server: what follows is not known
    std::uint64_t vectors_in_hnsw = 0;
    std::uint64_t vectors_in_wal = 0;  ///< newest vector only in embeddings_queue
    std::uint64_t records_lost = 0;
    std::uint64_t wal_rows = 0;  ///< rows of the topic still in embeddings_queue
    std::uint64_t wal_gap = 0;   ///< of these, rows that the vector segment has not applied
    std::vector<Finding> findings;
};

/// A private copy that is read in the place of a directory in use: why ("process 4711 (python3) has chroma.sqlite3
/// open"), and the newest seq_id.
struct Snapshot {
    std::string reason;
    std::uint64_t seq_id;
};

/// Where collections come from. One thread at a time.
class Source {
public:
    virtual ~Source() = default;

    virtual bool is_server() const noexcept { return false; }

    /// For messages and for commands to go on with: a directory as given, a URL without credentials.
    virtual std::string name() const = 0;

    /// The same as found from any working directory; kept in run records.
    virtual std::string location() const = 0;

    /// Set when a private copy is read.
    virtual const std::optional<Snapshot>& snapshot() const noexcept = 0;

    /// Sorted by tenant, database, name; orphan segments last.
    virtual const std::vector<Collection>& collections() const noexcept = 0;

    /// Findings that belong to no collection: orphan folders, unknown migrations, damaged tables.
    virtual const std::vector<Finding>& findings() const noexcept = 0;

    virtual CollectionSurvey survey(const Collection& collection) const = 0;

    /// The reader keeps what it needs open; it may outlive the Source only where no snapshot() is in use.
    virtual std::unique_ptr<RecordReader> read(const Collection& collection) const = 0;

protected:
    Source() = default;
    Source(const Source&) = default;
    Source& operator=(const Source&) = default;
};

struct CollectionName {
    std::optional<std::string> tenant = {};
    std::optional<std::string> database = {};
    std::string name = {};  ///< or the collection's uuid
};

/// Which source, and how to get in.
struct SourceAddress {
    /// The directory, or one at most three levels above its chroma.sqlite3; or a server's URL, without user and
    /// password.
    std::string from;

    // Of a server:
    std::optional<std::string> tenant = {};  ///< none: the token's, else default_tenant
    std::optional<std::string> database = {};
    std::string token = {};
    std::string token_header = {};  ///< Authorization (a bearer token) or X-Chroma-Token; empty: what the host takes
    std::string user = {};
    std::string password = {};
    std::string ca_file = {};

    bool is_server() const noexcept;
};

/// `from` when it is given, else what the settings name: CHROMA_URL or CHROMA_PATH. Credentials come from the settings
/// or from the URL. Of `wanted` tenant and database go before the settings' ones. Throws Error{config_invalid} for
/// settings that contradict each other, Error{request_invalid} for a URL that is none.
SourceAddress source_address(const Settings& settings, const std::optional<std::string>& from,
                             const CollectionName& wanted = {});

/// Throws what Directory::open or detail::ServerApi throws.
std::unique_ptr<Source> open_source(const SourceAddress& address);

/// The one collection that fits. Throws Error{not_found} naming the nearest, Error{conflict} when several databases
/// have it (remedy: --tenant, --database).
const Collection& find_collection(const Source& source, const CollectionName& wanted);

/// The same among those that the source of that name() has.
const Collection& find_collection(std::span<const Collection> collections, const CollectionName& wanted,
                                  const std::string& source);

}  // namespace decant::chroma
