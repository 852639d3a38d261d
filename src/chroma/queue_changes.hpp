#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace decant::chroma {

/// Where the queue of a collection (embeddings_queue, Chroma's write-ahead log) stands.
struct QueuePosition {
    std::uint64_t newest = 0;   ///< seq_id of the collection's last row, whether it is still there or not
    std::uint64_t applied = 0;  ///< seq_id up to which its vectors stand in the HNSW files
    std::string written = {};   ///< when the last row was, as Chroma notes it; empty where it was purged

    friend bool operator==(const QueuePosition& a, const QueuePosition& b) {
        return a.newest == b.newest && a.applied == b.applied && a.is_of_time(b.written);
    }
    /// Whether its last row may be the one that was written then: a directory that was restored counts anew from an
    /// earlier seq_id.
    bool is_of_time(std::string_view other) const noexcept {
        return written.empty() || other.empty() || written == other;
    }
};

/// What an index_metadata.pickle told and which state of the file that was, so that it is read again only after it was
/// rewritten.
struct PickleLook {
    std::uint64_t inode = 0;
    std::uint64_t size = 0;
    std::int64_t modified_ns = 0;
    std::uint64_t max_seq_id = 0;
};

/// What happened to a collection since a position.
struct QueueChanges {
    QueuePosition now;
    bool is_whole = false;  ///< false: rows since then were purged, or the row there is another: `ids` need not be all
    std::vector<std::string> ids;  ///< of the records that rows since then name; sorted bytewise, each once
};

}  // namespace decant::chroma
