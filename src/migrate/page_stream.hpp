#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "chroma/record_reader.hpp"
#include "core/bounded_queue.hpp"
#include "migrate/row_encoder.hpp"

namespace decant::migrate {

/// First bytes of the SHA-256 of a row image that a leaf keeps.
inline constexpr std::size_t leaf_digest_bytes = 16;

/// Appends the leaf of a row image: length of the id (uint32, big-endian), id, digest. The leaves of a run let its
/// table be verified, and each row be named that differs, after the source is gone.
void append_leaf(std::string_view image, std::string& out);

struct Leaf {
    std::string_view id;
    std::string_view digest;
};

/// Takes the first leaf off `leaves`; none when it is empty. Throws Error{internal} when the bytes are no leaf.
std::optional<Leaf> take_leaf(std::string_view& leaves);

/// Consecutive records of the source in id order, as row images.
struct Page {
    std::string images;               ///< row images, one after the other
    std::vector<std::size_t> starts;  ///< offset of each image in `images`
    std::string leaves;               ///< one a row; empty when not asked for
    std::vector<Reject> rejects;      ///< in id order
    std::string last_id;              ///< last id read, rejected or not
    std::uint64_t read = 0;           ///< rows plus rejects

    std::size_t rows() const noexcept { return starts.size(); }
    std::string_view image(std::size_t row) const noexcept;
    std::string_view id(std::size_t row) const noexcept;
};

/// The id that a row image starts with.
std::string_view id_of(std::string_view image) noexcept;

struct PageLimits {
    std::size_t rows = 2'000;
    std::size_t bytes = 8UL << 20U;
};

/// Reads and encodes on a thread of its own, at most three pages ahead. The reader must not be used meanwhile.
class PageStream {
public:
    PageStream(chroma::RecordReader& reader, const RowShape& shape, PageLimits limits, bool with_leaves);
    PageStream(const PageStream&) = delete;
    PageStream& operator=(const PageStream&) = delete;
    ~PageStream();

    /// Pages hold at least one record; none at the end. Rethrows what the reader threw.
    std::optional<Page> next();

private:
    void read_all();
    bool fill(Page& page);
    void encode(std::span<const chroma::Record> records, Page& page);

    chroma::RecordReader& reader_;
    RowShape shape_;
    PageLimits limits_;
    bool with_leaves_;
    std::size_t lot_records_;  ///< taken from the reader at a time
    BoundedQueue<Page> queue_;
    std::thread thread_;
};

}  // namespace decant::migrate
