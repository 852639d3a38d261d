#include "chroma/detail/server_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <random>
#include <utility>

#include "chroma/detail/id_table.hpp"
#include "core/error.hpp"
#include "core/utf8.hpp"

namespace decant::chroma::detail {
namespace {

constexpr std::size_t wanted_page_bytes = 8UL << 20U;
constexpr std::size_t most_page_records = 5'000;
constexpr std::size_t listed_ids = 5;
constexpr int list_tries = 5;

constexpr std::string_view changing_remedy =
    "Run the same command again: it takes what is new. To be sure of one state, stop what writes to the collection.";

std::string new_fingerprint() {
    std::random_device random;
    return fmt::format("server {:08x}{:08x}", random(), random());
}

/// "3 records ('a', 'b', 'c')", with the first few ids.
std::string counted(const std::vector<std::string_view>& ids) {
    std::string names;
    for (std::size_t i = 0; i < std::min(ids.size(), listed_ids); ++i)
        names += fmt::format("{}'{}'", i == 0 ? "" : ", ", printable(ids[i]));
    return fmt::format("{} {} ({}{})", ids.size(), ids.size() == 1 ? "record" : "records", names,
                       ids.size() > listed_ids ? ", …" : "");
}

/// A number is hashed with its type: 0 and 0.0 have the same bytes.
struct ScalarDigest {
    std::uint64_t operator()(std::string_view text) const { return hash_of(text); }
    std::uint64_t operator()(bool flag) const { return of('b', flag); }
    std::uint64_t operator()(std::int64_t number) const { return of('i', number); }
    std::uint64_t operator()(double number) const { return of('f', number); }

private:
    template <typename T>
    static std::uint64_t of(char type, T number) {
        char bytes[1 + sizeof(T)] = {type};
        std::memcpy(bytes + 1, &number, sizeof(T));
        return hash_of({bytes, sizeof bytes}) + sizeof(T);
    }
};

std::uint64_t digest_of(const MetadataValue& value) {
    if (const auto* scalar = std::get_if<Scalar>(&value)) return std::visit(ScalarDigest{}, *scalar);
    std::uint64_t digest = 1;
    for (const Scalar& element : std::get<std::span<const Scalar>>(value))
        digest = digest * 31 + std::visit(ScalarDigest{}, element);
    return digest;
}

}  // namespace

/// Servers give metadata in any order, so its part is a sum.
std::uint64_t digest_of(const Record& record) {
    const auto bytes = std::as_bytes(record.vector);
    std::uint64_t digest = hash_of({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    digest = digest * 31 + (record.document ? hash_of(*record.document) : 1);
    digest = digest * 31 + (record.uri ? hash_of(*record.uri) : 1);
    std::uint64_t sum = record.metadata ? 2 : 1;
    if (record.metadata) {
        for (const MetadataEntry& entry : *record.metadata)
            sum += hash_of(entry.key) * (digest_of(entry.value) | 1U);
    }
    return (digest * 31 + sum) | 1U;
}

ServerReader::ServerReader(const SourceAddress& address, Collection collection)
    : api_(address), collection_(std::move(collection)), fingerprint_(new_fingerprint()) {
    list_ = list_ids();
    digests_.resize(ids_.size());
}

ServerReader::IdList ServerReader::list_ids() {
    for (int attempt = 0; attempt < list_tries; ++attempt) {
        IdList list;
        if (list_pages(list) && list.ids.size() == api_.count(collection_)) return list;
    }
    throw Error{ErrorCode::source_changed,
                fmt::format("Collection '{}' changes faster than its ids can be listed", collection_.name),
                std::string{changing_remedy}};
}

/// False when pages overlapped, because records went meanwhile. A page may be shorter than asked for: only an empty one
/// is the end.
bool ServerReader::list_pages(IdList& list) {
    for (std::size_t offset = 0;;) {
        std::span<const Record> page;
        try {
            page = api_.ids(collection_, offset, ids_a_page_);
        } catch (const Error& error) {
            if (error.code() != ErrorCode::too_large || ids_a_page_ <= 1) throw;
            ids_a_page_ /= 2;
            continue;
        }
        if (!page.empty() && !list.ids.empty() && page.front().id == list.ids.front()) {
            throw Error{ErrorCode::source_unreadable,
                        fmt::format("The Chroma server gives the same ids of collection '{}' for every offset",
                                    collection_.name),
                        "Ask the server itself, not through a proxy that drops what a request says."};
        }
        for (const Record& record : page)
            list.ids.push_back(list.texts.keep(record.id));
        if (page.empty()) break;
        offset += page.size();
    }
    std::ranges::sort(list.ids);
    return std::ranges::adjacent_find(list.ids) == list.ids.end();
}

std::span<const Record> ServerReader::next_page(std::size_t limit) {
    if (at_ == ids_.size()) {
        require_same_ids();
        return {};
    }
    if (at_ < page_first_ || at_ >= page_first_ + page_.size()) fetch();
    const std::size_t offset = at_ - page_first_;
    const auto records = page_.subspan(offset, std::min(limit, page_.size() - offset));
    at_ += records.size();
    return records;
}

void ServerReader::seek_after(std::string_view id) {
    at_ = static_cast<std::size_t>(std::ranges::upper_bound(ids_, id) - ids_.begin());
}

void ServerReader::fetch() {
    const std::size_t wanted = std::min(records_a_page_, ids_.size() - at_);
    const auto ids = std::span{ids_}.subspan(at_, wanted);
    page_ = {};
    ServerApi::Page answer;
    try {
        answer = api_.get(collection_, ids);
    } catch (const Error& error) {
        if (error.code() != ErrorCode::too_large || wanted <= 1) throw;
        records_a_page_ = wanted / 2;
        return fetch();
    }
    if (!std::ranges::equal(answer.records, ids, {}, &Record::id)) {
        require_same_ids();
        throw Error{ErrorCode::source_changed,
                    fmt::format("The Chroma server at {} gave {} of the {} records asked for by id", api_.url(),
                                answer.records.size(), wanted),
                    std::string{changing_remedy}};
    }
    for (std::size_t i = 0; i < wanted; ++i)
        note_digest(at_ + i, answer.records[i]);
    page_ = answer.records;
    page_first_ = at_;
    const std::size_t fitting = wanted_page_bytes / (answer.bytes / wanted + 1);
    records_a_page_ = std::clamp<std::size_t>(fitting, 1, std::min(4 * records_a_page_, most_page_records));
}

void ServerReader::note_digest(std::size_t position, const Record& record) {
    const std::uint64_t digest = digest_of(record);
    const std::uint64_t earlier = std::exchange(digests_[position], digest);
    if (earlier == 0 || earlier == digest) return;
    throw Error{ErrorCode::source_changed,
                fmt::format("Collection '{}' changed while it was read: record '{}' is another than at first",
                            collection_.name, printable(record.id)),
                std::string{changing_remedy}};
}

void ServerReader::require_same_ids() {
    page_ = {};  // its views go with the next answer
    const IdList now = list_ids();
    if (std::ranges::equal(now.ids, ids_)) return;
    std::vector<std::string_view> came;
    std::vector<std::string_view> went;
    std::ranges::set_difference(now.ids, ids_, std::back_inserter(came));
    std::ranges::set_difference(ids_, now.ids, std::back_inserter(went));
    std::string drift = came.empty() ? "" : counted(came) + " came";
    if (!went.empty()) drift += fmt::format("{}{} went", drift.empty() ? "" : ", ", counted(went));
    throw Error{ErrorCode::source_changed,
                fmt::format("Collection '{}' changed while it was read: {}", collection_.name, drift),
                std::string{changing_remedy}};
}

}  // namespace decant::chroma::detail
