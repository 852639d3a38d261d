#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/json.hpp"

namespace decant::sync {

/// What a run did. Every distinct row read is created, updated, unchanged or quarantined.
struct SyncCounts {
    std::uint64_t read = 0;  ///< distinct rows of the pass
    std::uint64_t created = 0;
    std::uint64_t updated = 0;
    std::uint64_t unchanged = 0;  ///< in the pass
    std::uint64_t deactivated = 0;
    std::uint64_t withheld = 0;     ///< would have been deactivated, were they not so many, or `without_sku` none
    std::uint64_t quarantined = 0;  ///< in the pass
    std::uint64_t without_sku = 0;  ///< of these, whose sku could not be read: any product may be meant
    std::uint64_t duplicates = 0;   ///< in the pass: the later one was taken
    std::uint64_t pages = 0;
    std::uint64_t stock_negative = 0;  ///< in the pass
    std::uint64_t stock_rounded = 0;
};

/// Where the next page is, and what is known of the pass so far. Saved with every page.
struct SyncCursor {
    int pass = 1;
    std::uint64_t offset = 0;
    std::uint64_t total = 0;
    std::string last_key = {};  ///< of the page before: the next one begins with it; empty: there is no such page
    bool is_consistent = true;
    std::uint64_t duplicates_before = 0;  ///< in the pass before
    std::vector<std::uint64_t> pages_failed = {};
    SyncCounts counts = {};

    json::object to_json() const;
    static SyncCursor from_json(const json::object& saved);
};

struct SyncReport {
    std::int64_t run = 0;  ///< 0: a dry run
    std::string source;
    std::string scope;
    std::string state;
    SyncCursor end = {};
    std::string started_at;
    double seconds = 0;
    std::string error_code = {};  ///< empty: none
    std::string error = {};

    json::object to_json() const;
    /// Something in it wants to be looked at.
    bool is_clean() const noexcept;
};

}  // namespace decant::sync
