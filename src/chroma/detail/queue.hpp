#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "chroma/detail/sqlite.hpp"

namespace decant::chroma::detail {

/// One row of embeddings_queue, Chroma's write-ahead log. The id lives until the next row.
struct QueueRow {
    enum class Operation { add = 0, update = 1, upsert = 2, remove = 3 };
    std::int64_t seq_id;
    Operation operation;
    std::string_view id;
    bool has_vector;
    bool is_float_array;  ///< its bytes are a whole number of float32
};

/// Calls `visit` for each row of the collection's topic with seq_id > `after`, in the order of seq_id. Topics are
/// matched by what follows the last '/', the collection's uuid. Throws Error{source_unreadable} for an operation that
/// no Chroma writes.
void for_each_queue_row(const Database& db, std::string_view collection_id, std::uint64_t after,
                        const std::function<void(const QueueRow&)>& visit);

/// segment → seq_id of the last queue row that it has applied; none where there is no row.
std::optional<std::uint64_t> read_applied_seq_id(const Database& db, std::string_view segment_id);

}  // namespace decant::chroma::detail
