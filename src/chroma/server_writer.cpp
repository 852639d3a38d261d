#include "chroma/server_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>

#include "chroma/detail/server_api.hpp"
#include "chroma/detail/server_reader.hpp"
#include "core/error.hpp"
#include "core/json.hpp"

namespace decant::chroma {
namespace {

using Members = std::vector<const RecordParts*>;

/// Appends `"name":[...]` of what `part` gives for each record.
template <typename Part>
void append_list(std::string& body, const Members& records, std::string_view name, const Part& part) {
    body += fmt::format("{}\"{}\":[", body.size() > 1 ? "," : "", name);
    for (std::size_t i = 0; i < records.size(); ++i)
        body.append(i == 0 ? "" : ",").append(std::invoke(part, *records[i]));
    body += ']';
}

std::string ids_of(const Members& records) {
    std::string body = "{";
    append_list(body, records, "ids", &RecordParts::id);
    return body + "}";
}

/// All but the vectors.
std::string body_of(const Members& records) {
    std::string body = ids_of(records);
    body.pop_back();
    append_list(body, records, "documents", &RecordParts::document);
    append_list(body, records, "metadatas", &RecordParts::metadata);
    append_list(body, records, "uris", &RecordParts::uri);
    return body + "}";
}

bool has_key(const Record& record, std::string_view key) {
    return record.metadata && std::ranges::find(*record.metadata, key, &MetadataEntry::key) != record.metadata->end();
}

enum class Likeness { different, rounded, equal };

/// Chroma keeps a vector of a cosine collection as its direction and its length, and gives their product: three
/// roundings of a float away from what was added at most.
Likeness likeness_of(std::span<const float> present, std::span<const float> wanted, bool is_cosine) {
    const auto bits = [](float value) { return std::bit_cast<std::uint32_t>(value); };
    if (std::ranges::equal(present, wanted, {}, bits, bits)) return Likeness::equal;
    constexpr float roundings = 3 * std::numeric_limits<float>::epsilon() / 2;
    const bool is_rounded = is_cosine && std::ranges::equal(present, wanted, [](float there, float here) {
                                return std::abs(there - here) <= roundings * std::abs(here);
                            });
    return is_rounded ? Likeness::rounded : Likeness::different;
}

Likeness likeness_of(Record present, Record wanted, bool is_cosine) {
    const Likeness vectors = likeness_of(present.vector, wanted.vector, is_cosine);
    present.vector = wanted.vector = {};
    return detail::digest_of(present) == detail::digest_of(wanted) ? vectors : Likeness::different;
}

/// Whether the record that is there has something that the wanted one has not.
bool has_more(const Record& present, const Record& wanted) {
    if ((present.document && !wanted.document) || (present.uri && !wanted.uri)) return true;
    return present.metadata && std::ranges::any_of(*present.metadata, [&](const MetadataEntry& entry) {
               return !has_key(wanted, entry.key);
           });
}

}  // namespace

struct ServerWriter::State {
    State(const SourceAddress& address, std::string wanted) : api(address), name(std::move(wanted)) {
        for (Collection& each : api.collections()) {
            if (each.name != name) continue;
            if (collection) {
                throw Error{ErrorCode::conflict,
                            fmt::format("Collection '{}' is in the databases '{}' and '{}' of {}", name,
                                        collection->database, each.database, api.url()),
                            "Say which is meant with --tenant and --database."};
            }
            collection = std::move(each);
        }
    }

    /// Calls take(record, wanted, present, likeness) for each; `present` is null where the collection has no such
    /// record.
    template <typename Take>
    void compare(std::span<const RecordParts> records, const Take& take) {
        Members members;
        for (const RecordParts& record : records)
            members.push_back(&record);
        wanted_body = body_of(members);
        if (!wanted_page.parse(wanted_body)) {
            throw Error{ErrorCode::internal, "Records were written as JSON that is none",
                        "Report this with the output of `decant --version`."};
        }
        std::vector<Record> wanted{wanted_page.records().begin(), wanted_page.records().end()};
        std::vector<std::string_view> ids;
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            wanted[i].vector = records[i].vector;
            ids.push_back(wanted[i].id);
        }
        const std::span<const Record> present = api.get(*collection, ids).records;
        auto at = present.begin();
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            const bool is_present = at != present.end() && at->id == wanted[i].id;
            take(records[i], wanted[i], is_present ? &*at : nullptr,
                 is_present ? likeness_of(*at, wanted[i], collection->space == Space::cosine) : Likeness::different);
            if (is_present) ++at;
        }
    }

    struct Change {
        const RecordParts* record;
        std::string id;
        bool is_new;
        bool needs_reset;  ///< an upsert keeps what the record that is there has more
    };

    void write(std::span<const Change> changes, WriteOutcome& outcome) {
        if (changes.empty()) return;
        Members records;
        Members reset;
        for (const Change& change : changes) {
            records.push_back(change.record);
            if (change.needs_reset) reset.push_back(change.record);
        }
        if (auto reason = upsert(records)) {
            if (changes.size() == 1) {
                outcome.refused.push_back({changes.front().id, std::move(*reason)});
                return;
            }
            const std::size_t half = changes.size() / 2;
            write(changes.first(half), outcome);
            return write(changes.subspan(half), outcome);
        }
        // Only now that the server has taken them once: none of them is lost by a refusal.
        if (!reset.empty()) {
            auto reason = api.write(*collection, "delete", ids_of(reset));
            if (!reason) reason = upsert(reset);
            if (reason) {
                throw Error{
                    ErrorCode::source_unreadable,
                    fmt::format("{} records of collection '{}' cannot be replaced: {}", reset.size(), name, *reason),
                    "Look at the server's log; then run the same command again."};
            }
        }
        for (const Change& change : changes)
            ++(change.is_new ? outcome.added : outcome.changed);
    }

    std::optional<std::string> upsert(const Members& records) {
        std::string body = body_of(records);
        body.pop_back();
        append_list(body, records, "embeddings",
                    [](const RecordParts& record) { return json_text(std::span<const float>{record.vector}); });
        return api.write(*collection, "upsert", body + "}");
    }

    detail::ServerApi api;
    std::size_t most_records = api.most_records_a_write();
    std::string name;
    std::optional<Collection> collection;
    std::string wanted_body;
    detail::ServerPage wanted_page;
};

ServerWriter::ServerWriter(const SourceAddress& address, const std::string& collection)
    : state_(std::make_unique<State>(address, collection)) {}
ServerWriter::~ServerWriter() = default;

const std::optional<Collection>& ServerWriter::collection() const noexcept {
    return state_->collection;
}

void ServerWriter::create(Space space) {
    state_->collection = state_->api.create(state_->name, space);
}

std::size_t ServerWriter::most_records_a_write() const noexcept {
    return state_->most_records;
}

std::uint64_t ServerWriter::count() {
    return state_->api.count(*state_->collection);
}

void ServerWriter::put(std::span<const RecordParts> records, WriteOutcome& outcome) {
    std::vector<State::Change> changes;
    state_->compare(records,
                    [&](const RecordParts& record, const Record& wanted, const Record* present, Likeness likeness) {
                        if (likeness != Likeness::different) {
                            ++outcome.unchanged;
                            return;
                        }
                        changes.push_back({.record = &record,
                                           .id = std::string{wanted.id},
                                           .is_new = present == nullptr,
                                           .needs_reset = present != nullptr && has_more(*present, wanted)});
                    });
    state_->write(changes, outcome);
}

void ServerWriter::check(std::span<const RecordParts> records, ReadBack& outcome) {
    state_->compare(records, [&](const RecordParts&, const Record& wanted, const Record*, Likeness likeness) {
        if (likeness == Likeness::different) outcome.differing.emplace_back(wanted.id);
        if (likeness == Likeness::rounded) ++outcome.rounded;
    });
}

}  // namespace decant::chroma
