#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "chroma/detail/catalog.hpp"
#include "chroma/detail/sqlite.hpp"

namespace decant::chroma::detail {

/// What queue rows that the metadata segment has not applied will make of one record.
struct PendingRecord {
    bool is_stored = false;     ///< it has a row in `embeddings`
    bool is_present = false;    ///< it exists after the replay
    bool keeps_stored = false;  ///< its stored metadata stays below the rows; not when it was deleted and added again
    std::vector<std::int64_t> queue_rows;  ///< whose metadata are merged, in order
};

/// The metadata segment is up to date unless the process died between queue and segment, so this is nearly always
/// empty. As Chroma's backfill does: ADD of an existing id and UPDATE or DELETE of a missing one do nothing, UPDATE and
/// UPSERT merge by key.
class MetadataOverlay {
public:
    MetadataOverlay(const Database& db, const CatalogEntry& entry);

    using Records = std::map<std::string, PendingRecord, std::less<>>;
    const Records& records() const noexcept { return records_; }
    const PendingRecord* find(std::string_view id) const;

private:
    Records records_;
};

}  // namespace decant::chroma::detail
