#pragma once

#include <optional>
#include <string>

#include "chroma/queue_changes.hpp"
#include "migrate/target_table.hpp"

namespace decant::operate {

/// decant.follows: up to where a copied table follows the queue of its collection. Statements run in the caller's
/// transaction if there is one.
class FollowStore {
public:
    FollowStore(pg::Connection& db, migrate::TableName table, std::string collection_id)
        : db_(db), table_(std::move(table)), collection_id_(std::move(collection_id)) {}

    /// Makes the table where it is missing.
    void prepare();
    std::optional<chroma::QueuePosition> position();
    /// Throws Error{conflict} unless what stands there is `before`: somebody else follows the same collection.
    void save(const std::optional<chroma::QueuePosition>& before, const chroma::QueuePosition& now);
    /// Of a table that is there no more.
    void forget();
    /// The run record of the last pass over everything, in the place of the one before: there may be many.
    void keep_run(std::int64_t run_id);

private:
    pg::Connection& db_;
    migrate::TableName table_;
    std::string collection_id_;
};

}  // namespace decant::operate
