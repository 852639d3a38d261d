#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "chroma/detail/server_api.hpp"
#include "chroma/detail/text_arena.hpp"
#include "chroma/record_reader.hpp"

namespace decant::chroma::detail {

/// Never 0; equal for records that are equal in all but their ids.
std::uint64_t digest_of(const Record& record);

/// Reads one collection of a server, which has no snapshots to read from: the ids are listed first and sorted, records
/// are then asked for by id, and at the end of each reading the ids are listed again. Records that came or went, and
/// records that a second reading finds changed, are Error{source_changed} that counts and names them. In memory: the
/// ids, 8 bytes a record besides, and one answer of about 8 MiB.
class ServerReader final : public RecordReader {
public:
    ServerReader(const SourceAddress& address, Collection collection);

    const Collection& collection() const noexcept override { return collection_; }
    std::uint64_t record_count() const noexcept override { return ids_.size(); }
    const std::vector<LostRecord>& lost() const noexcept override { return lost_; }
    std::span<const Record> next_page(std::size_t limit) override;
    void seek_after(std::string_view id) override;
    void rewind() override { at_ = 0; }

    /// Of another text each time: nothing that a server tells changes with every write.
    std::string fingerprint() const override { return fingerprint_; }

private:
    struct IdList {
        TextArena texts;
        std::vector<std::string_view> ids;  ///< sorted, without doubles
    };

    IdList list_ids();
    bool list_pages(IdList& list);
    void fetch();
    void note_digest(std::size_t position, const Record& record);
    void require_same_ids();

    ServerApi api_;
    Collection collection_;
    IdList list_;
    std::vector<std::string_view>& ids_ = list_.ids;
    std::vector<std::uint64_t> digests_;  ///< of the records, 0 where not read yet
    std::vector<LostRecord> lost_;        ///< always empty: a server that cannot give a record refuses the page
    std::string fingerprint_;

    std::size_t at_ = 0;  ///< the next page starts with this id
    std::size_t ids_a_page_ = 20'000;
    std::size_t records_a_page_ = 100;
    std::size_t page_first_ = 0;  ///< position of the first record of page_
    std::span<const Record> page_;
};

}  // namespace decant::chroma::detail
