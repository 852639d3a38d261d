#pragma once

#include <filesystem>

#include "chroma/detail/catalog.hpp"
#include "chroma/detail/sqlite.hpp"
#include "chroma/queue_changes.hpp"

namespace decant::chroma::detail {

/// What rows of the collection's queue after `since` tell. Chroma purges the oldest rows of a collection
/// first: while the last row of `since` is there, all after it are. `applied` is find_applied(). Call inside a
/// ReadTransaction.
QueueChanges read_queue_changes(const Database& db, const CatalogEntry& entry, const QueuePosition& since,
                                std::uint64_t applied);

/// The seq_id up to which the collection's vectors stand in the HNSW files: a row tells it, before 0.5.6 only the
/// pickle; 0 where nothing does. `earlier` is what this gave last. Throws Error{source_changed} when the pickle is cut
/// off meanwhile. Call inside a ReadTransaction.
std::uint64_t find_applied(const Database& db, const std::filesystem::path& directory, const CatalogEntry& entry,
                           PickleLook& earlier);

}  // namespace decant::chroma::detail
