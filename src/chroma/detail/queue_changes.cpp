#include "chroma/detail/queue_changes.hpp"

#include <algorithm>
#include <chrono>

#include "chroma/detail/bus_guard.hpp"
#include "chroma/detail/change_watch.hpp"
#include "chroma/detail/mapped_file.hpp"
#include "chroma/detail/pickle.hpp"
#include "chroma/detail/queue.hpp"
#include "chroma/detail/vector_index.hpp"
#include "core/error.hpp"

namespace decant::chroma::detail {
namespace {

constexpr auto pickle_name = "index_metadata.pickle";
/// A file that was just written may be in the middle of a write that its time does not show.
constexpr std::chrono::nanoseconds settling_time = std::chrono::seconds{1};

/// A pickle that cannot be read names no vector of the index: as if nothing were applied.
std::uint64_t read_max_seq_id(const std::filesystem::path& file) {
    const BusGuard guard;
    std::uint64_t max_seq_id = 0;
    try {
        if (const auto pickle = MappedFile::open(file))
            max_seq_id = read_index_pickle(pickle->bytes()).max_seq_id.value_or(0);
    } catch (const Error& error) {
        if (error.code() != ErrorCode::source_unreadable) throw;
    }
    if (guard.has_faulted()) ChangeWatch::throw_changed(pickle_name);
    return max_seq_id;
}

/// Empty where it is not there.
std::string time_of_row(const Database& db, std::uint64_t seq_id) {
    Statement row = db.prepare("SELECT created_at FROM embeddings_queue WHERE seq_id = ?1");
    const bool is_there = row.bind(1, static_cast<std::int64_t>(seq_id)).step() && !row.is_null(0);
    return is_there ? std::string{row.text(0)} : std::string{};
}

bool has_settled(const FileStamp& stamp) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return now - std::chrono::nanoseconds{stamp.modified_ns} > settling_time;
}

}  // namespace

std::uint64_t find_applied(const Database& db, const std::filesystem::path& directory, const CatalogEntry& entry,
                           PickleLook& earlier) {
    if (const auto row = read_applied_seq_id(db, entry.vector_segment)) return *row;
    if (!is_plain_name(entry.vector_segment)) return 0;
    const std::filesystem::path file = directory / entry.vector_segment / pickle_name;
    const auto stamp = stamp_of(file);
    if (!stamp) return 0;
    if (*stamp == FileStamp{earlier.inode, earlier.size, earlier.modified_ns}) return earlier.max_seq_id;
    const std::uint64_t max_seq_id = read_max_seq_id(file);
    if (has_settled(*stamp)) earlier = {stamp->inode, stamp->size, stamp->modified_ns, max_seq_id};
    return max_seq_id;
}

QueueChanges read_queue_changes(const Database& db, const CatalogEntry& entry, const QueuePosition& since,
                                std::uint64_t applied) {
    QueueChanges changes;
    const std::uint64_t in_metadata = read_applied_seq_id(db, entry.metadata_segment).value_or(0);
    changes.now.applied = applied;
    changes.now.newest = std::max(in_metadata, changes.now.applied);
    bool has_row = false;
    for_each_queue_row(db, entry.collection.id, since.newest == 0 ? 0 : since.newest - 1, [&](const QueueRow& row) {
        const auto seq_id = static_cast<std::uint64_t>(row.seq_id);
        changes.now.newest = std::max(changes.now.newest, seq_id);
        if (seq_id == since.newest)
            has_row = true;
        else
            changes.ids.emplace_back(row.id);
    });
    changes.now.written = time_of_row(db, changes.now.newest);
    const QueuePosition there{.newest = since.newest, .written = has_row ? time_of_row(db, since.newest) : ""};
    changes.is_whole = (has_row || changes.now.newest == since.newest) && there.is_of_time(since.written);
    std::ranges::sort(changes.ids);
    const auto repeated = std::ranges::unique(changes.ids);
    changes.ids.erase(repeated.begin(), repeated.end());
    return changes;
}

}  // namespace decant::chroma::detail
