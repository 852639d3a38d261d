#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace decant::chroma::detail {

/// Texts that stay at one address until clear(). Their memory is kept for the next round.
class TextArena {
public:
    std::string_view keep(std::string_view text) {
        char* place = allocate(text.size());
        bytes_ += text.size();
        if (!text.empty()) {
            std::memcpy(place, text.data(), text.size());
        }
        return {place, text.size()};
    }

    void clear() noexcept {
        // Only the usual chunks are worth keeping: one huge document must not stay for the whole run.
        std::erase_if(chunks_, [](const Chunk& chunk) { return chunk.size != chunk_bytes; });
        chunk_in_use_ = 0;
        used_ = 0;
        bytes_ = 0;
    }

    /// Of all texts since the last clear.
    std::size_t bytes() const noexcept { return bytes_; }

private:
    static constexpr std::size_t chunk_bytes = 256 * 1024;

    struct Chunk {
        std::unique_ptr<char[]> data;
        std::size_t size;
    };

    char* allocate(std::size_t size) {
        while (chunk_in_use_ < chunks_.size()) {
            Chunk& chunk = chunks_[chunk_in_use_];
            if (chunk.size - used_ >= size) {
                char* place = chunk.data.get() + used_;
                used_ += size;
                return place;
            }
            ++chunk_in_use_;
            used_ = 0;
        }
        const std::size_t bytes = std::max(size, chunk_bytes);
        chunks_.push_back({std::make_unique_for_overwrite<char[]>(bytes), bytes});
        used_ = size;
        return chunks_.back().data.get();
    }

    std::vector<Chunk> chunks_;
    std::size_t chunk_in_use_ = 0;
    std::size_t used_ = 0;
    std::size_t bytes_ = 0;
};

}  // namespace decant::chroma::detail
