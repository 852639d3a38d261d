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
    static constexpr VectorSource unlabelled() { return VectorSource{no_element}; }  ///< label without an element

    constexpr bool is_none() const { return code_ == nowhere; }
    constexpr bool is_unlabelled() const { return code_ == no_element; }
    constexpr bool is_element() const { return code_ < queue_bit; }
    constexpr bool is_queue() const { return code_ >= queue_bit && code_ < no_element; }
    constexpr std::uint32_t index() const { return code_ & ~queue_bit; }

private:
    static constexpr std::uint32_t queue_bit = 0x80000000U;
    static constexpr std::uint32_t no_element = 0xfffffffeU;
    static constexpr std::uint32_t nowhere = 0xffffffffU;
    constexpr explicit VectorSource(std::uint32_t code) : code_(code) {}
    std::uint32_t code_ = nowhere;
};

/// The present vector of every id of a collection: the persisted index with the queue's newer rows replayed over it.
/// Made under a BusGuard and a ReadTransaction. docs/formats/chroma.md, "From the files to the present state".
class VectorIndex {
public:
    VectorIndex(const Database& db, const std::filesystem::path& directory, const CatalogEntry& entry);

    VectorSource find(std::string_view id);
    /// The seq_id of a queue source.
    std::int64_t queue_row(VectorSource source) const { return queue_rows_[source.index()]; }
    /// None where nothing was persisted or nothing of it can be read.
    const std::optional<HnswFiles>& files() const noexcept { return files_; }
    /// Why nothing that was persisted can be read; empty otherwise.
    const std::string& fault() const noexcept { return fault_; }
    std::uint64_t persisted_count() const noexcept { return persisted_; }

    /// Gives back the memory of ids; find may not be called any more.
    void forget_ids();

private:
    void load_persisted(const std::filesystem::path& folder, const CatalogEntry& entry);
    void replay(const Database& db, const CatalogEntry& entry, std::uint64_t after);
    void put(std::string_view id, std::int64_t seq_id);

    std::optional<MappedFile> pickle_;  ///< the table's ids point into it
    std::optional<HnswFiles> files_;
    std::optional<std::uint64_t> pickled_seq_id_;
    std::uint64_t persisted_ = 0;
    std::string fault_;
    IdTable<VectorSource> table_;
    TextArena queue_ids_;
    std::vector<std::int64_t> queue_rows_;
};

}  // namespace decant::chroma::detail
