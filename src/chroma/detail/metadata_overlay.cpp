#include "chroma/detail/metadata_overlay.hpp"

#include "chroma/detail/queue.hpp"

namespace decant::chroma::detail {
namespace {

constexpr auto select_stored = "SELECT 1 FROM embeddings WHERE segment_id = ?1 AND embedding_id = ?2";

void apply(PendingRecord& record, const QueueRow& row) {
    switch (row.operation) {
        case QueueRow::Operation::add:
            if (record.is_present) {
                return;
            }
            record.keeps_stored = false;
            record.is_present = true;
            record.queue_rows = {row.seq_id};
            return;
        case QueueRow::Operation::update:
            if (record.is_present) {
                record.queue_rows.push_back(row.seq_id);
            }
            return;
        case QueueRow::Operation::upsert:
            if (!record.is_present) {
                record.keeps_stored = false;
                record.queue_rows.clear();
            }
            record.is_present = true;
            record.queue_rows.push_back(row.seq_id);
            return;
        case QueueRow::Operation::remove:
            record.is_present = false;
            record.keeps_stored = false;
            record.queue_rows.clear();
            return;
    }
}

}  // namespace

MetadataOverlay::MetadataOverlay(const Database& db, const CatalogEntry& entry) {
    const std::uint64_t applied = read_applied_seq_id(db, entry.metadata_segment).value_or(0);
    Statement stored = db.prepare(select_stored);
    for_each_queue_row(db, entry.collection.id, applied, [&](const QueueRow& row) {
        auto found = records_.find(row.id);
        if (found == records_.end()) {
            const bool is_stored = stored.bind(1, entry.metadata_segment).bind(2, row.id).step();
            stored.reset();
            found = records_
                        .emplace(row.id, PendingRecord{.is_stored = is_stored,
                                                       .is_present = is_stored,
                                                       .keeps_stored = is_stored,
                                                       .queue_rows = {}})
                        .first;
        }
        apply(found->second, row);
    });
}

const PendingRecord* MetadataOverlay::find(std::string_view id) const {
    if (records_.empty()) {
        return nullptr;
    }
    const auto found = records_.find(id);
    return found == records_.end() ? nullptr : &found->second;
}

}  // namespace decant::chroma::detail
