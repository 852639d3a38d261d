#include "migrate/page_stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "core/error.hpp"
#include "core/sha256.hpp"

namespace decant::migrate {
namespace {

// Records are taken from the reader in lots that grow while they are small, so that long documents never pile up: a lot
// stays near an eighth of the page's byte limit.
constexpr std::size_t first_lot_records = 16;
constexpr std::size_t most_lot_records = 256;
constexpr std::size_t id_offset = 2 + 4;  // field count, length

std::uint32_t big_endian(std::string_view at) noexcept {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i)
        value = (value << 8U) | static_cast<unsigned char>(at[i]);
    return value;
}

}  // namespace

std::string_view id_of(std::string_view image) noexcept {
    return image.substr(id_offset, big_endian(image.substr(2)));
}

void append_leaf(std::string_view image, std::string& out) {
    const std::string_view length_and_id = image.substr(2, 4 + id_of(image).size());
    const Digest digest = sha256(image);
    out.append(length_and_id);
    out.append(reinterpret_cast<const char*>(digest.data()), leaf_digest_bytes);
}

std::optional<Leaf> take_leaf(std::string_view& leaves) {
    if (leaves.empty()) return std::nullopt;
    const std::size_t id_bytes = leaves.size() < 4 ? leaves.size() : big_endian(leaves);
    if (leaves.size() < 4 + id_bytes + leaf_digest_bytes) {
        throw Error{ErrorCode::internal, fmt::format("A page of the run record ends in {} stray bytes", leaves.size()),
                    "The table decant.pages was changed by hand: copy again to record the table anew."};
    }
    const Leaf leaf{leaves.substr(4, id_bytes), leaves.substr(4 + id_bytes, leaf_digest_bytes)};
    leaves.remove_prefix(4 + id_bytes + leaf_digest_bytes);
    return leaf;
}

std::string_view Page::image(std::size_t row) const noexcept {
    const std::size_t end = row + 1 < starts.size() ? starts[row + 1] : images.size();
    return std::string_view{images}.substr(starts[row], end - starts[row]);
}

std::string_view Page::id(std::size_t row) const noexcept {
    return id_of(image(row));
}

PageStream::PageStream(chroma::RecordReader& reader, const RowShape& shape, PageLimits limits, bool with_leaves)
    : reader_(reader),
      shape_(shape),
      limits_(limits),
      with_leaves_(with_leaves),
      lot_records_(first_lot_records),
      queue_(3 * limits.bytes),
      thread_([this] { read_all(); }) {}

PageStream::~PageStream() {
    queue_.close();
    thread_.join();
}

std::optional<Page> PageStream::next() {
    return queue_.pop();
}

void PageStream::read_all() {
    try {
        std::size_t usual_bytes = 0;
        for (;;) {
            Page page;
            page.images.reserve(usual_bytes);
            const bool has_more = fill(page);
            usual_bytes = std::max(usual_bytes, page.images.size());
            const std::size_t bytes = page.images.size() + page.leaves.size();
            if (page.read > 0 && !queue_.push(std::move(page), bytes)) return;
            if (!has_more) break;
        }
        queue_.close();
    } catch (...) {
        queue_.fail(std::current_exception());
    }
}

bool PageStream::fill(Page& page) {
    while (page.read < limits_.rows && page.images.size() < limits_.bytes) {
        const std::size_t wanted = std::min<std::size_t>(lot_records_, limits_.rows - page.read);
        const std::size_t bytes_before = page.images.size();
        const auto records = reader_.next_page(wanted);
        if (records.empty()) return false;
        encode(records, page);
        page.read += records.size();
        page.last_id = records.back().id;
        const std::size_t a_record = (page.images.size() - bytes_before) / records.size() + 1;
        const std::size_t fitting = std::max<std::size_t>(1, limits_.bytes / 8 / a_record);
        lot_records_ = std::min({2 * lot_records_, fitting, most_lot_records});
    }
    return true;
}

void PageStream::encode(std::span<const chroma::Record> records, Page& page) {
    for (const chroma::Record& record : records) {
        const std::size_t start = page.images.size();
        if (auto reject = encode_row(shape_, record, page.images)) {
            page.rejects.push_back(std::move(*reject));
            continue;
        }
        page.starts.push_back(start);
        if (with_leaves_) append_leaf(page.image(page.rows() - 1), page.leaves);
    }
}

}  // namespace decant::migrate
