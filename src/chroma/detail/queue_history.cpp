#include "chroma/detail/queue_history.hpp"

#include "chroma/detail/queue.hpp"

namespace decant::chroma::detail {
namespace {

constexpr auto select_extent = "SELECT count(*), min(seq_id), max(seq_id) FROM embeddings_queue";
constexpr auto select_seq_id = "SELECT seq_id FROM embeddings WHERE segment_id = ?1 AND embedding_id = ?2";

}  // namespace

bool is_queue_whole(const Database& db) {
    Statement extent = db.prepare(select_extent);
    return extent.step() &&
           (extent.integer(0) == 0 || (extent.integer(1) == 1 && extent.integer(2) == extent.integer(0)));
}

QueueHistory::QueueHistory(const Database& db, const CatalogEntry& entry)
    : entry_(entry), select_seq_id_(db.prepare(select_seq_id)) {
    for_each_queue_row(db, entry.collection.id, 0, [this](const QueueRow& row) {
        Fate* fate = fates_.find(row.id);
        if (fate == nullptr) {
            fate = &fates_.insert(ids_.keep(row.id));
        }
        if (row.operation == QueueRow::Operation::remove) {
            *fate = {.row = 0, .doubtful = 0, .presence = Presence::absent};
        } else if (row.has_vector) {
            apply(row, *fate);
        }
    });
}

void QueueHistory::apply(const QueueRow& row, Fate& fate) {
    const std::int64_t seq_id = row.is_float_array ? row.seq_id : 0;
    const bool is_add = row.operation == QueueRow::Operation::add;
    if (row.operation == QueueRow::Operation::upsert || (is_add && fate.presence == Presence::absent)) {
        fate = {.row = seq_id, .doubtful = 0, .presence = Presence::present};
    } else if (row.operation == QueueRow::Operation::update && fate.presence != Presence::absent) {
        fate = {.row = seq_id, .doubtful = 0, .presence = fate.presence};
    } else if (is_add && fate.presence == Presence::unknown) {
        // After an UPDATE two vectors are possible; without one it is this row's or an older one.
        fate = {.row = 0, .doubtful = fate.row == 0 ? seq_id : 0, .presence = Presence::present};
    }
}

std::optional<std::int64_t> QueueHistory::vector_row(std::string_view id) {
    const Fate* fate = fates_.find(id);
    if (fate == nullptr || fate->presence == Presence::absent) {
        return std::nullopt;
    }
    if (fate->row == 0 && fate->doubtful != 0 && was_last_touched_by(id, fate->doubtful)) {
        return fate->doubtful;
    }
    return fate->row != 0 ? std::optional{fate->row} : std::nullopt;
}

bool QueueHistory::was_last_touched_by(std::string_view id, std::int64_t seq_id) {
    const bool is_stored = select_seq_id_.bind(1, entry_.metadata_segment).bind(2, id).step();
    const auto touched = is_stored ? select_seq_id_.seq_id(0) : std::nullopt;
    select_seq_id_.reset();
    return touched && *touched == static_cast<std::uint64_t>(seq_id);
}

}  // namespace decant::chroma::detail
