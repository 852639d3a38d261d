#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace decant::chroma::detail {

/// Mixes with a seed drawn once a process, so that no crafted file can make an IdTable slow.
std::uint64_t hash_of(std::string_view text) noexcept;

/// From ids to T by open addressing: 16 bytes and two 4-byte slots an id besides T, no node. The texts are not copied.
template <typename T>
class IdTable {
public:
    struct Entry {
        const char* text;
        std::uint32_t length;
        T value;
        std::string_view id() const noexcept { return {text, length}; }
    };

    IdTable() { rehash(64); }

    void reserve(std::size_t count) {
        entries_.reserve(count);
        std::size_t slots = slots_.size();
        while (slots < count * 2) {
            slots *= 2;
        }
        if (slots > slots_.size()) {
            rehash(slots);
        }
    }

    T* find(std::string_view id) noexcept {
        const std::uint32_t index = slots_[slot_of(id)];
        return index == 0 ? nullptr : &entries_[index - 1].value;
    }

    /// The value of `id`, made by default when there is none. `id` must outlive the table.
    T& insert(std::string_view id) {
        std::size_t slot = slot_of(id);
        if (slots_[slot] != 0) {
            return entries_[slots_[slot] - 1].value;
        }
        if ((entries_.size() + 1) * 2 > slots_.size()) {
            rehash(slots_.size() * 2);
            slot = slot_of(id);
        }
        entries_.push_back({id.data(), static_cast<std::uint32_t>(id.size()), T{}});
        slots_[slot] = static_cast<std::uint32_t>(entries_.size());
        return entries_.back().value;
    }

    std::size_t size() const noexcept { return entries_.size(); }
    auto begin() const noexcept { return entries_.begin(); }
    auto end() const noexcept { return entries_.end(); }

private:
    std::size_t slot_of(std::string_view id) const noexcept {
        std::size_t slot = hash_of(id) & (slots_.size() - 1);
        while (slots_[slot] != 0 && entries_[slots_[slot] - 1].id() != id) {
            slot = (slot + 1) & (slots_.size() - 1);
        }
        return slot;
    }

    void rehash(std::size_t slot_count) {
        slots_.assign(slot_count, 0);
        for (std::size_t i = 0; i < entries_.size(); ++i) {
            slots_[slot_of(entries_[i].id())] = static_cast<std::uint32_t>(i + 1);
        }
    }

    std::vector<Entry> entries_;
    std::vector<std::uint32_t> slots_;  ///< index + 1 into entries_; 0 is free
};

}  // namespace decant::chroma::detail
