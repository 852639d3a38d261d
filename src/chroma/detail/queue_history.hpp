#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "chroma/detail/catalog.hpp"
#include "chroma/detail/id_table.hpp"
#include "chroma/detail/queue.hpp"
#include "chroma/detail/sqlite.hpp"
#include "chroma/detail/text_arena.hpp"

namespace decant::chroma::detail {

/// Whether no row was ever purged: the seq_ids run from 1 without a gap. Versions before 0.5.6 never purge.
bool is_queue_whole(const Database& db);

/// What the rows that are left in the queue prove about vectors, whatever the index held: for salvage, when the index
/// cannot be read. An ADD proves nothing about an id that may have existed before, for then it was ignored; unless the
/// metadata segment says that this very ADD was the last row that touched the record.
class QueueHistory {
public:
    QueueHistory(const Database& db, const CatalogEntry& entry);

    /// The seq_id of the row that certainly holds the present vector of an existing record.
    std::optional<std::int64_t> vector_row(std::string_view id);

private:
    enum class Presence : std::uint8_t { unknown, present, absent };
    struct Fate {
        std::int64_t row = 0;       ///< 0: the vector is not known
        std::int64_t doubtful = 0;  ///< an ADD that was ignored if the id existed
        Presence presence = Presence::unknown;
    };

    static void apply(const QueueRow& row, Fate& fate);
    bool was_last_touched_by(std::string_view id, std::int64_t seq_id);

    CatalogEntry entry_;
    Statement select_seq_id_;
    IdTable<Fate> fates_;
    TextArena ids_;
};

}  // namespace decant::chroma::detail
