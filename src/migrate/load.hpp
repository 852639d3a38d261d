#pragma once

#include <functional>
#include <set>
#include <string>

#include "core/sha256.hpp"
#include "migrate/page_stream.hpp"
#include "migrate/run_store.hpp"
#include "migrate/table_scan.hpp"
#include "migrate/target_table.hpp"

namespace decant::migrate {

/// What a page changes in the table: rows of the page by their number, and ids that only the table has.
struct PageChanges {
    std::vector<std::size_t> fresh;
    std::vector<std::size_t> changed;
    std::uint64_t unchanged = 0;
    std::vector<std::string> extra;
};

/// Compares the page with the table's rows up to the page's last id; moves the scan past them.
PageChanges compare_page(const Page& page, TableScan& scan);

struct LoadPlan {
    std::int64_t run_id = 0;
    std::string token;
    TableName table;
    bool prune = false;
    bool is_empty = false;                ///< the table has no row after the checkpoint: nothing to compare with
    std::optional<std::string> after_id;  ///< checkpoint to go on from
    Sha256* root = nullptr;               ///< takes the leaves of every page that is committed; may be null
    std::set<std::string> absent_ids;     ///< ids that the source has but cannot give (lost): never pruned
};

/// Called after each committed page with its counts; returning false stops at the page edge (Error{cancelled}).
using PageObserver = std::function<bool(const Counts& delta)>;

struct LoadConnections {
    pg::Connection& writer;
    pg::Connection* scanner;  ///< reads the table while `writer` changes it; null when plan.is_empty
};

/// Brings the table to the source's state, a page and its checkpoint in one transaction. Precondition: `pages` starts
/// after plan.after_id.
void load_pages(const LoadConnections& connections, const LoadPlan& plan, PageStream& pages,
                const PageObserver& on_page);

}  // namespace decant::migrate
