#include "chroma/detail/queue.hpp"

#include <fmt/format.h>

#include <limits>

#include "core/error.hpp"

namespace decant::chroma::detail {
namespace {

// length() does not load the vector's overflow pages.
constexpr auto select_rows =
    "SELECT seq_id, operation, topic, id, length(vector) FROM embeddings_queue WHERE seq_id > ?1 ORDER BY seq_id";
constexpr auto select_applied = "SELECT seq_id FROM max_seq_id WHERE segment_id = ?1";

std::string_view after_last_slash(std::string_view topic) {
    return topic.substr(topic.rfind('/') + 1);
}

}  // namespace

void for_each_queue_row(const Database& db, std::string_view collection_id, std::uint64_t after,
                        const std::function<void(const QueueRow&)>& visit) {
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (after > most) {
        return;
    }
    Statement rows = db.prepare(select_rows);
    rows.bind(1, static_cast<std::int64_t>(after));
    std::int64_t last = -1;
    while (rows.step()) {
        if (rows.integer(0) <= last) {
            throw_malformed_table("embeddings_queue");
        }
        last = rows.integer(0);
        if (after_last_slash(rows.text(2)) != collection_id) {
            continue;
        }
        const std::int64_t operation = rows.integer(1);
        if (operation < 0 || operation > 3) {
            throw Error{
                ErrorCode::source_unreadable,
                fmt::format("embeddings_queue row {} has the unknown operation {}.", rows.integer(0), operation),
                "check with the version of Chroma that wrote the directory; decant knows 0.4 to 1.5"};
        }
        visit({.seq_id = rows.integer(0),
               .operation = static_cast<QueueRow::Operation>(operation),
               .id = rows.text(3),
               .has_vector = !rows.is_null(4),
               .is_float_array = rows.integer(4) % std::int64_t{sizeof(float)} == 0});
    }
}

std::optional<std::uint64_t> read_applied_seq_id(const Database& db, std::string_view segment_id) {
    Statement row = db.prepare(select_applied);
    return row.bind(1, segment_id).step() ? row.seq_id(0) : std::nullopt;
}

}  // namespace decant::chroma::detail
