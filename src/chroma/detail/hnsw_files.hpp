#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "chroma/collection.hpp"
#include "chroma/detail/mapped_file.hpp"

namespace decant::chroma::detail {

/// Where the parts of an element lie in data_level0.bin, as header.bin says.
struct HnswLayout {
    std::uint64_t capacity;
    std::uint64_t element_count;
    std::uint64_t element_bytes;
    std::uint64_t vector_offset;
    std::uint64_t label_offset;
    std::uint32_t dimension;
};

/// None when the bytes are no header, or its numbers contradict one another or overflow.
std::optional<HnswLayout> read_hnsw_header(std::span<const std::byte> header);

/// The persisted vectors of one segment, memory-mapped. Call under a BusGuard. Nothing is read past the files' ends.
class HnswFiles {
public:
    /// `space` decides whether norms are needed. Throws Error{source_unreadable} when no vector can be had from here.
    HnswFiles(const std::filesystem::path& folder, std::optional<Space> space);

    const HnswLayout& layout() const noexcept { return layout_; }
    /// Elements that lie wholly in data_level0.bin; the header's count when nothing is cut.
    std::uint64_t readable_count() const noexcept { return readable_; }
    /// Elements whose norm lies in length.bin; readable_count() where norms are not needed.
    std::uint64_t norm_count() const noexcept { return norms_; }

    std::uint64_t data_bytes() const noexcept { return data_->bytes().size(); }

    std::uint64_t label(std::uint64_t element) const noexcept;
    bool is_deleted(std::uint64_t element) const noexcept;
    /// The vector as Chroma's get() gives it: for cosine, the stored direction times the norm. `out` has the
    /// dimension's length; `element` is less than readable_count() and norm_count().
    void read_vector(std::uint64_t element, std::span<float> out) const noexcept;

private:
    HnswLayout layout_{};
    std::uint64_t readable_ = 0;
    std::uint64_t norms_ = 0;
    bool is_normalised_ = false;
    std::optional<MappedFile> data_;
    std::optional<MappedFile> lengths_;
};

}  // namespace decant::chroma::detail
