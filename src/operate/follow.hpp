#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "core/error.hpp"
#include "core/json.hpp"
#include "migrate/copy.hpp"

namespace decant::operate {

struct FollowRequest {
    migrate::CopyRequest copy;                 ///< of a directory; `prune` is taken for granted
    std::chrono::milliseconds interval{2000};  ///< between two looks at the queue
};

/// One pass that is committed.
struct FollowPass {
    std::uint64_t number = 0;   ///< of this process, from 1
    bool is_full = false;       ///< compared every record
    std::string why_full = {};  ///< "rows of the queue were purged before they were seen"
    std::uint64_t seq_id = 0;   ///< the table is at least as new as this row of the queue
    std::uint64_t inserted = 0;
    std::uint64_t updated = 0;
    std::uint64_t deleted = 0;
    std::uint64_t unchanged = 0;
    std::uint64_t rejected = 0;
    double seconds = 0;
};

struct FollowObserver {
    migrate::CopyObserver& copy;                                ///< of passes over everything
    std::function<void(const migrate::CopyReport&)> on_copied;  ///< the first one, where there was no table yet
    std::function<void(const FollowPass&)> on_pass;
    std::function<void(const Error& error)> on_failure;  ///< that may pass; tried again
};

/// Copies a collection of a directory and then, until SIGINT or SIGTERM, brings the table to the collection's state
/// whenever that has changed: a pass reads what rows of the queue since the last one name, and is one transaction with
/// the position. After a kill it goes on from there. Where Chroma has purged rows of the queue that were not seen, or
/// has moved vectors of a cosine collection into its index, which rounds them, everything is compared. What may pass by
/// itself, a database that is away or a source that is being written, is waited for. Throws Error for the rest.
void follow_collection(const FollowRequest& request, const FollowObserver& observer);

/// "pass 3: 25 changed, ..." in one line.
std::string pass_text(const FollowPass& pass);
json::object pass_json(const FollowPass& pass);

}  // namespace decant::operate
