#include "chroma/detail/record_list.hpp"

#include <utility>

namespace decant::chroma::detail {
namespace {

// Walks the index of UNIQUE(segment_id, embedding_id), which also carries the rowid.
constexpr auto select_records =
    "SELECT embedding_id, id FROM embeddings WHERE segment_id = ?1 AND embedding_id >= ?2 ORDER BY embedding_id";

}  // namespace

RecordList::RecordList(const Database& db, std::string segment_id, const MetadataOverlay& overlay)
    : segment_id_(std::move(segment_id)), overlay_(overlay), select_(db.prepare(select_records)) {}

void RecordList::for_each(std::string_view from, const std::function<bool(const ListedRecord&)>& visit) {
    auto pending = overlay_.records().lower_bound(from);
    const auto end = overlay_.records().end();
    const auto visit_added_before = [&](const std::string_view* limit) {
        for (; pending != end && (limit == nullptr || pending->first < *limit); ++pending) {
            if (!pending->second.is_stored && pending->second.is_present &&
                !visit({pending->first, std::nullopt, &pending->second})) {
                return false;
            }
        }
        return true;
    };
    select_.reset();
    select_.bind(1, segment_id_).bind(2, from);
    bool goes_on = true;
    while (goes_on && select_.step()) {
        const std::string_view id = select_.text(0);
        goes_on = visit_added_before(&id);
        const PendingRecord* record = overlay_.find(id);
        if (goes_on && (record == nullptr || record->is_present)) {
            goes_on = visit({id, select_.integer(1), record});
        }
    }
    select_.reset();
    if (goes_on) {
        visit_added_before(nullptr);
    }
}

}  // namespace decant::chroma::detail
