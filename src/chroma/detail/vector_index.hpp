#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chroma/detail/catalog.hpp"
#include "chroma/detail/hnsw_files.hpp"
#include "chroma/detail/id_table.hpp"
#include "chroma/detail/mapped_file.hpp"
#include "chroma/detail/pickle.hpp"
#include "chroma/detail/queue.hpp"
#include "chroma/detail/queue_history.hpp"
#include "chroma/detail/sqlite.hpp"
#include "chroma/detail/text_arena.hpp"

namespace decant::chroma::detail {

/// Where the newest vector of an id is: an HNSW element, a row of the queue, or nowhere. Four bytes, because there is
/// one for each record.
class VectorSource {
public:
    constexpr VectorSource() = default;  ///< none: no vector is known
    static constexpr VectorSource element(std::uint32_t index) { return VectorSource{index}; }
    static constexpr VectorSource queue(std::uint32_t index) { return VectorSource{queue_bit | index}; }
    /// The index has the id, but no element with its label.
    static constexpr VectorSource without_element() { return VectorSource{no_element}; }
    /// The queue has the vector, but not as an array of float32.
    static constexpr VectorSource malformed() { return VectorSource{bad_row}; }

    constexpr bool is_none() const { return code_ == nowhere; }
    constexpr bool is_malformed() const { return code_ == bad_row; }
    constexpr bool is_element() const { return code_ < queue_bit; }
    constexpr bool is_queue() const { return code_ >= queue_bit && code_ < bad_row; }
    constexpr std::uint32_t index() const { return code_ & ~queue_bit; }

private:
    static constexpr std::uint32_t queue_bit = 0x80000000U;
    static constexpr std::uint32_t bad_row = 0xfffffffdU;
    static constexpr std::uint32_t no_element = 0xfffffffeU;
    static constexpr std::uint32_t nowhere = 0xffffffffU;
    constexpr explicit VectorSource(std::uint32_t code) : code_(code) {}
    std::uint32_t code_ = nowhere;
};

/// Segment ids become folder names: only what a uuid is made of.
bool is_plain_name(std::string_view segment);

/// The dimension that a segment's header.bin tells, when it has elements.
std::optional<std::uint32_t> persisted_dimension(const std::filesystem::path& directory, const std::string& segment);

/// The present vector of every id of a collection: the persisted index with the queue's newer rows replayed over it.
/// Made under a BusGuard and a ReadTransaction. docs/formats/chroma.md, "From the files to the present state".
class VectorIndex {
public:
    VectorIndex(const Database& db, const std::filesystem::path& directory, const CatalogEntry& entry);

    /// Where the vector of an existing record can be had from. Never gives what is not certain: for none, `why_lost`
    /// says why.
    VectorSource find(std::string_view id, std::string& why_lost);

    /// The seq_id of a queue source.
    std::int64_t queue_row(VectorSource source) const { return queue_rows_[source.index()]; }
    /// None where nothing was persisted or nothing of it can be read.
    const std::optional<HnswFiles>& files() const noexcept { return files_; }

    std::uint64_t labelled_count() const noexcept { return labelled_; }  ///< ids in the pickle
    std::uint64_t applied_seq_id() const noexcept { return applied_; }   ///< newer rows are replayed
    std::uint64_t salvaged_count() const noexcept { return salvaged_; }  ///< given from applied rows, for damage
    const std::vector<Finding>& findings() const noexcept { return findings_; }

    /// Gives back the memory of ids; find may not be called any more.
    void forget_ids();

private:
    void load_labels(const std::filesystem::path& folder);
    void open_files(const std::filesystem::path& folder);
    void note_cut_files();
    void do_without_labels(std::string happened);
    void replay();
    VectorSource source_of(const QueueRow& row);
    std::string why_unreadable(VectorSource source) const;
    void note_damage(std::string file, std::string happened);

    const Database& db_;
    CatalogEntry entry_;
    std::optional<MappedFile> pickle_;  ///< the table's ids point into it
    std::optional<HnswFiles> files_;
    std::uint64_t labelled_ = 0;
    std::uint64_t applied_ = 0;
    std::uint64_t salvaged_ = 0;
    std::vector<LabelledId> labels_;  ///< only while loading
    bool are_ids_known_ = true;       ///< which ids the index held; false when the pickle is lost
    std::string fault_;               ///< why nothing that was persisted can be read
    std::vector<Finding> findings_;
    IdTable<VectorSource> table_;
    TextArena queue_ids_;
    std::vector<std::int64_t> queue_rows_;
    std::optional<QueueHistory> history_;
};

}  // namespace decant::chroma::detail
