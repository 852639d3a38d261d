#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

struct sqlite3;

namespace decant::test {

using SourceValue = std::variant<std::string, std::int64_t, double, bool>;

struct SourceRecord {
    std::string id;
    std::vector<float> vector;
    std::optional<std::string> document = {};
    std::vector<std::pair<std::string, SourceValue>> metadata = {};
};

/// Record `number` of `dimension` values in its `version`; everything but the id depends on the version.
SourceRecord sample_record(std::uint64_t number, std::size_t dimension, std::uint64_t version = 0);

/// A Chroma directory of one collection, `products`, written without Chroma, so that it can hold what a client of
/// Chroma would not send: metadata applied to its tables, every vector still in the queue. No
/// file of it is open between calls. Removed with this object.
class SyntheticChroma {
public:
    struct Options {
        std::size_t dimension = 32;
        std::string space = "l2";
    };

    explicit SyntheticChroma(Options options);
    SyntheticChroma() : SyntheticChroma(Options{}) {}
    SyntheticChroma(const SyntheticChroma&) = delete;
    SyntheticChroma& operator=(const SyntheticChroma&) = delete;
    ~SyntheticChroma();

    /// Adds the records, in the place of those that have the same ids.
    void put(std::span<const SourceRecord> records);
    void put(std::initializer_list<SourceRecord> records) { put(std::span{records.begin(), records.size()}); }
    /// sample_record(first), ... in one transaction.
    void put_samples(std::uint64_t first, std::uint64_t count, std::uint64_t version = 0);
    void remove(std::span<const std::string> ids);
    /// As Chroma before 0.5.6 tells that it has moved vectors into its index; at most 255. No index file is written.
    void write_pickle(int max_seq_id);
    /// The record stays, its vector is nowhere any more.
    void lose_vector(const std::string& id);

    const std::filesystem::path& path() const noexcept { return path_; }
    std::size_t dimension() const noexcept { return options_.dimension; }

private:
    class Statement;
    void open();
    void exec(const std::string& sql);
    void put_one(const SourceRecord& record);
    void enqueue(int operation, const std::string& id, std::span<const float> vector);
    void drop_metadata(const std::string& id);
    void note_applied();

    Options options_;
    std::filesystem::path path_;
    std::unique_ptr<sqlite3, int (*)(sqlite3*)> db_;
    std::int64_t seq_id_ = 0;
};

}  // namespace decant::test
