#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "chroma/detail/catalog.hpp"
#include "chroma/detail/json.hpp"
#include "chroma/detail/metadata_overlay.hpp"
#include "chroma/detail/sqlite.hpp"
#include "chroma/detail/text_arena.hpp"
#include "chroma/record.hpp"

namespace decant::chroma::detail {

/// Document and metadata of the records of one page.
class PageMetadata {
public:
    PageMetadata(const Database& db, const SchemaTraits& traits);

    /// Where a record's part of the page is; see entries().
    struct Extent {
        std::uint32_t first = 0;
        std::uint32_t count = 0;
        std::optional<std::string_view> document;
        std::optional<std::string_view> uri;
    };

    void clear() noexcept;

    /// Reads what `embedding_metadata` (`row`) and then the pending queue rows say. False when a page of the database
    /// that it needs is damaged.
    bool read(std::optional<std::int64_t> row, const PendingRecord* pending, Extent& extent);

    /// The same for stored records whose rows follow one another from `first_row` on, in one walk of the index.
    bool read_run(std::int64_t first_row, std::span<Extent* const> extents);

    /// Call once all records of the page are read; then entries() is valid until clear().
    void finish();
    std::span<const MetadataEntry> entries(const Extent& extent) const;

private:
    struct Draft {
        std::string_view key;
        Scalar scalar;
        std::uint32_t list_first = 0;
        std::uint32_t list_count = 0;
        bool is_list = false;
    };

    void begin(Extent& extent) const noexcept;
    bool end(std::int64_t row, Extent& extent);
    void take_scalar(Extent& extent);
    bool read_lists(std::int64_t row);
    bool merge_queue_row(std::int64_t seq_id, Extent& extent);
    void merge_member(std::string_view key, const Json& value, Extent& extent);
    std::optional<Scalar> scalar_of(const Json& value);
    bool is_honest() const noexcept;

    Statement select_scalars_;
    std::optional<Statement> select_lists_;  ///< none while no record has a list
    Statement select_queued_;
    std::uint64_t most_bytes_;
    TextArena texts_;
    std::vector<Draft> drafts_;
    std::vector<Scalar> list_items_;
    std::vector<MetadataEntry> entries_;
};

}  // namespace decant::chroma::detail
