#include "chroma/detail/hnsw_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/error.hpp"

namespace decant::chroma::detail {
namespace {

static_assert(std::endian::native == std::endian::little, "Chroma's files are little-endian and are read as they lie");

constexpr std::size_t header_bytes = 100;
constexpr std::uint32_t persistence_version = 1;
constexpr std::uint64_t most_links = 1U << 20U;
constexpr std::uint64_t most_dimensions = 1U << 24U;
constexpr std::size_t deleted_flag_offset = 2;
constexpr unsigned deleted_bit = 1;

template <typename Number>
Number read_at(std::span<const std::byte> bytes, std::uint64_t offset) {
    Number value;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

[[noreturn]] void throw_unreadable(const std::filesystem::path& file, std::string_view why) {
    throw Error{ErrorCode::source_unreadable,
                fmt::format("{}/{} {}.", file.parent_path().filename().string(), file.filename().string(), why),
                "restore the file from a backup, or go on with what the queue still holds"};
}

}  // namespace

std::optional<HnswLayout> read_hnsw_header(std::span<const std::byte> header) {
    if (header.size() < header_bytes || read_at<std::uint32_t>(header, 0) != persistence_version ||
        read_at<std::uint64_t>(header, 4) != 0) {
        return std::nullopt;
    }
    const auto links = read_at<std::uint64_t>(header, 68);
    HnswLayout layout{.capacity = read_at<std::uint64_t>(header, 12),
                      .element_count = read_at<std::uint64_t>(header, 20),
                      .element_bytes = read_at<std::uint64_t>(header, 28),
                      .vector_offset = read_at<std::uint64_t>(header, 44),
                      .label_offset = read_at<std::uint64_t>(header, 36),
                      .dimension = 0};
    if (links > most_links || layout.vector_offset != 4 + 4 * links || layout.label_offset < layout.vector_offset ||
        layout.label_offset - layout.vector_offset > 4 * most_dimensions ||
        (layout.label_offset - layout.vector_offset) % 4 != 0 || layout.element_bytes != layout.label_offset + 8 ||
        layout.element_count > layout.capacity || layout.element_count > 0x7fffffffU) {
        return std::nullopt;
    }
    layout.dimension = static_cast<std::uint32_t>((layout.label_offset - layout.vector_offset) / 4);
    return layout;
}

HnswFiles::HnswFiles(const std::filesystem::path& folder, std::optional<Space> space) {
    const auto header = MappedFile::open(folder / "header.bin");
    const auto layout = header ? read_hnsw_header(header->bytes()) : std::nullopt;
    if (!layout) {
        throw_unreadable(folder / "header.bin", header ? "is no valid HNSW header" : "is missing");
    }
    if (!space) {
        throw_unreadable(folder / "data_level0.bin",
                         "holds vectors of an unknown distance space, so that it cannot be "
                         "told whether they are normalised");
    }
    layout_ = *layout;
    data_ = MappedFile::open(folder / "data_level0.bin");
    if (!data_) {
        throw_unreadable(folder / "data_level0.bin", "is missing");
    }
    data_->expect_random_reads();
    readable_ = std::min<std::uint64_t>(layout_.element_count, data_->bytes().size() / layout_.element_bytes);
    is_normalised_ = *space == Space::cosine;
    norms_ = readable_;
    if (is_normalised_) {
        lengths_ = MappedFile::open(folder / "length.bin");
        norms_ = lengths_ ? std::min<std::uint64_t>(readable_, lengths_->bytes().size() / sizeof(float)) : 0;
    }
}

std::uint64_t HnswFiles::label(std::uint64_t element) const noexcept {
    return read_at<std::uint64_t>(data_->bytes(), element * layout_.element_bytes + layout_.label_offset);
}

bool HnswFiles::is_deleted(std::uint64_t element) const noexcept {
    const std::byte flags = data_->bytes()[element * layout_.element_bytes + deleted_flag_offset];
    return (std::to_integer<unsigned>(flags) & deleted_bit) != 0;
}

void HnswFiles::read_vector(std::uint64_t element, std::span<float> out) const noexcept {
    const std::byte* stored = data_->bytes().data() + element * layout_.element_bytes + layout_.vector_offset;
    std::memcpy(out.data(), stored, out.size_bytes());
    if (is_normalised_) {
        const auto norm = read_at<float>(lengths_->bytes(), element * sizeof(float));
        for (float& component : out) {
            component *= norm;  // one float32 multiply, as Chroma's fork does: bit-equal to its get()
        }
    }
}

}  // namespace decant::chroma::detail
