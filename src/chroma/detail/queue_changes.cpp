#include "chroma/detail/queue_changes.hpp"

#include <algorithm>

#include "chroma/detail/queue.hpp"

namespace decant::chroma::detail {

QueueChanges read_queue_changes(const Database& db, const CatalogEntry& entry, std::uint64_t since) {
    QueueChanges changes;
    const std::uint64_t in_metadata = read_applied_seq_id(db, entry.metadata_segment).value_or(0);
    changes.now.applied = read_applied_seq_id(db, entry.vector_segment).value_or(0);
    changes.now.newest = std::max(in_metadata, changes.now.applied);
    bool has_row = false;
    for_each_queue_row(db, entry.collection.id, since == 0 ? 0 : since - 1, [&](const QueueRow& row) {
        const auto seq_id = static_cast<std::uint64_t>(row.seq_id);
        changes.now.newest = std::max(changes.now.newest, seq_id);
        if (seq_id == since)
            has_row = true;
        else
            changes.ids.emplace_back(row.id);
    });
    changes.is_whole = has_row || changes.now.newest == since;
    std::ranges::sort(changes.ids);
    const auto repeated = std::ranges::unique(changes.ids);
    changes.ids.erase(repeated.begin(), repeated.end());
    return changes;
}

}  // namespace decant::chroma::detail
