#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "chroma/detail/bus_guard.hpp"
#include "chroma/detail/catalog.hpp"
#include "chroma/detail/change_watch.hpp"
#include "chroma/detail/metadata_overlay.hpp"
#include "chroma/detail/page_metadata.hpp"
#include "chroma/detail/record_list.hpp"
#include "chroma/detail/sqlite.hpp"
#include "chroma/detail/text_arena.hpp"
#include "chroma/detail/vector_index.hpp"
#include "chroma/directory.hpp"
#include "chroma/record_reader.hpp"

namespace decant::chroma::detail {

/// Reads one collection of the folder that holds chroma.sqlite3, on a connection of its own. At open every record is
/// tied to where its vector is, so that what is lost is known; a page then costs one walk of an index.
class PersistedReader final : public RecordReader {
public:
    PersistedReader(const std::filesystem::path& directory, const CatalogEntry& entry, const SchemaTraits& traits);

    const Collection& collection() const noexcept override { return entry_.collection; }
    std::uint64_t record_count() const noexcept override { return sources_.size() - lost_.size(); }
    const std::vector<LostRecord>& lost() const noexcept override { return lost_; }
    std::span<const Record> next_page(std::size_t limit) override;
    void seek_after(std::string_view id) override;
    void rewind() override;
    std::string fingerprint() const override { return fingerprint_; }

    CollectionSurvey survey() const;

    /// From now on pages hold only records with these ids, which are sorted bytewise. record_count() and lost() stay
    /// those of the collection.
    void keep_only(std::vector<std::string> ids) { wanted_ = std::move(ids); }

private:
    struct Row {
        std::string_view id;
        std::optional<std::int64_t> stored;
        const PendingRecord* pending;
        VectorSource source;
        PageMetadata::Extent extent;
        std::size_t vector_first = 0;
        std::size_t vector_count = 0;
    };

    void resolve_sources();
    void make_fingerprint(std::int64_t newest_row, std::uint64_t digest);
    void finish_read(const BusGuard& guard);
    void read_page(std::size_t limit);
    void list_rows(std::size_t limit);
    bool is_wanted(std::string_view id) const;
    static bool follows(const Row& first, std::size_t distance, const Row& row);
    void read_metadata();
    void read_vectors();
    void read_queued_vector(std::string_view id, std::int64_t seq_id);
    void build_records();

    Database db_;
    CatalogEntry entry_;
    ChangeWatch watch_;
    Statement select_vector_;
    std::optional<MetadataOverlay> overlay_;
    std::optional<RecordList> list_;
    std::optional<PageMetadata> metadata_;
    std::optional<VectorIndex> index_;
    std::vector<VectorSource> sources_;  ///< in id order; none where the record is lost
    std::vector<LostRecord> lost_;
    std::vector<Finding> findings_;
    std::string fingerprint_;

    std::optional<std::vector<std::string>> wanted_;  ///< none: all
    std::string from_;                                ///< the next page starts with the first id that is not less
    std::size_t position_ = 0;                        ///< of that id in sources_
    TextArena texts_;
    std::vector<Row> rows_;
    std::vector<std::size_t> order_;
    std::vector<float> vectors_;
    std::vector<Record> records_;
};

}  // namespace decant::chroma::detail
