#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chroma/collection.hpp"
#include "chroma/record.hpp"

namespace decant::chroma {

/// A record that exists and whose whole content cannot be had, with why: "vector: element 712 lies past the end of
/// data_level0.bin", "metadata: database page 812 is damaged".
struct LostRecord {
    std::string id;
    std::string reason;
};

/// Reads one collection in id order (bytewise, as memcmp), one page in memory. One reader per thread.
class RecordReader {
public:
    virtual ~RecordReader() = default;
    virtual const Collection& collection() const noexcept = 0;

    /// Records that next_page will give in all, lost ones left out.
    virtual std::uint64_t record_count() const noexcept = 0;

    /// Known from open on, before the first page: what a caller without --allow-partial must stop for. In id order.
    virtual const std::vector<LostRecord>& lost() const noexcept = 0;

    /// At most `limit` records after the last page; empty at the end. The views die at the next call.
    /// Throws Error{source_unreadable} naming the file, Error{source_changed} when the directory changed since open.
    virtual std::span<const Record> next_page(std::size_t limit) = 0;

    /// The next page starts with the first id greater than `id`.
    virtual void seek_after(std::string_view id) = 0;

    /// The next page starts with the first record.
    virtual void rewind() = 0;

    /// Identifies the state that is read: equal for the same state of the same collection, another after any change.
    virtual std::string fingerprint() const = 0;
};

}  // namespace decant::chroma
