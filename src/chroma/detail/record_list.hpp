#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "chroma/detail/metadata_overlay.hpp"
#include "chroma/detail/sqlite.hpp"

namespace decant::chroma::detail {

/// One record of the present state. The id lives until the next one is given.
struct ListedRecord {
    std::string_view id;
    std::optional<std::int64_t> row;  ///< embeddings.id, when it is stored
    const PendingRecord* pending;     ///< null when the metadata segment is up to date for it
};

/// The records of a collection in the bytewise order of their ids: the rows of `embeddings` with the overlay merged in.
class RecordList {
public:
    /// `overlay` must outlive the list.
    RecordList(const Database& db, std::string segment_id, const MetadataOverlay& overlay);

    /// Gives records from the id `from` on until `visit` says false or there is none left.
    void for_each(std::string_view from, const std::function<bool(const ListedRecord&)>& visit);

private:
    std::string segment_id_;
    const MetadataOverlay& overlay_;
    Statement select_;
};

}  // namespace decant::chroma::detail
