#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "chroma/source.hpp"

namespace decant::chroma {

/// One record: its vector, and else the JSON values that Chroma's HTTP API takes; "null" where there is none.
struct RecordParts {
    std::string id;
    std::string document;
    std::string metadata;  ///< an object of texts, numbers, booleans and lists of these
    std::string uri;
    std::vector<float> vector = {};

    std::size_t bytes() const noexcept {
        return id.size() + document.size() + metadata.size() + uri.size() + vector.size() * sizeof(float);
    }
};

/// A record that a server does not take, with why.
struct RefusedRecord {
    std::string id;
    std::string reason;
};

struct WriteOutcome {
    std::uint64_t added = 0;
    std::uint64_t changed = 0;
    std::uint64_t unchanged = 0;
    std::vector<RefusedRecord> refused;
};

struct ReadBack {
    std::vector<std::string> differing;  ///< ids
    std::uint64_t rounded = 0;  ///< equal but for the last digit of vector values, which a cosine collection rounds
};

/// Writes records into one collection of a Chroma server. Writing the same again changes nothing, so what was
/// interrupted is simply done again. One thread. Throws what detail::ServerApi throws.
class ServerWriter {
public:
    /// Looks for the collection. Throws Error{conflict} when several databases have it.
    ServerWriter(const SourceAddress& address, const std::string& collection);
    ~ServerWriter();

    /// None when the server has no such collection.
    const std::optional<Collection>& collection() const noexcept;
    void create(Space space);

    std::size_t most_records_a_write() const noexcept;
    std::uint64_t count();

    /// Makes the collection hold these records, in bytewise order of their ids, exactly as they are: Chroma's upsert
    /// alone would leave what a record has no more. Other records stay.
    void put(std::span<const RecordParts> records, WriteOutcome& outcome);

    /// Compares these records with what the collection holds now.
    void check(std::span<const RecordParts> records, ReadBack& outcome);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace decant::chroma
