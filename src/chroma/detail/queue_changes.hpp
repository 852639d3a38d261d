#pragma once

#include "chroma/detail/catalog.hpp"
#include "chroma/detail/sqlite.hpp"
#include "chroma/queue_changes.hpp"

namespace decant::chroma::detail {

/// What rows of the collection's queue with a seq_id over `since` tell. Chroma purges the oldest rows of a collection
/// first: while row `since` is there, all after it are. Call inside a ReadTransaction.
QueueChanges read_queue_changes(const Database& db, const CatalogEntry& entry, std::uint64_t since);

}  // namespace decant::chroma::detail
