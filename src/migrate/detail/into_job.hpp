#pragma once

#include <memory>
#include <string>
#include <vector>

#include "migrate/into.hpp"
#include "migrate/product_index.hpp"
#include "migrate/target_lock.hpp"

namespace decant::migrate::detail {

/// What the source says of one key: the digests of the key and of its vector's bytes as PostgreSQL sends them.
struct KeyDigest {
    ShortDigest key;
    ShortDigest vector;

    friend bool operator<(const KeyDigest& a, const KeyDigest& b) noexcept { return a.key < b.key; }
};

class IntoJob {
public:
    IntoJob(const IntoRequest& request, CopyObserver& observer);
    IntoReport run();

    /// As CopyJob's.
    void mark(const std::string& state) noexcept;
    std::uint64_t pages_done() const noexcept { return pages_done_; }
    bool is_under_way() const noexcept { return report_.run_id != 0; }

private:
    void open_source();
    void open_target();
    void check_column();
    void find_ambiguous_keys();
    void fill();
    void fill_page(std::span<const chroma::Record> records);
    void write_page(const std::string& rows);
    void verify();
    void finish();
    void reject(const chroma::Record& record, std::string reason);
    std::optional<std::string> find_fault(const chroma::Record& record, const std::optional<std::string>& key) const;

    const IntoRequest& request_;
    CopyObserver& observer_;
    IntoReport report_;
    std::unique_ptr<chroma::Source> origin_;
    std::unique_ptr<chroma::RecordReader> source_;
    std::unique_ptr<pg::Connection> db_;
    std::unique_ptr<TargetLock> lock_;
    std::optional<store::Pgvector> pgvector_;
    std::string match_type_;
    std::uint64_t pages_done_ = 0;
    std::vector<ShortDigest> ambiguous_;  ///< keys, sorted
    std::vector<KeyDigest> written_;
};

/// The text of the record's key: a string as it is, an integer in digits, a float as PostgreSQL writes it, a boolean as
/// true or false. None when the record has none, or a list.
std::optional<std::string> key_of(const chroma::Record& record, const MatchKey& match);

}  // namespace decant::migrate::detail
