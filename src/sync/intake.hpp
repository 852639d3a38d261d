#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "pg/connection.hpp"
#include "store/product_store.hpp"
#include "store/sync_store.hpp"
#include "sync/incoming.hpp"
#include "sync/sync_report.hpp"

namespace decant::sync {

namespace detail {

/// What is written of some pages: the last item of each sku.
struct Batch {
    std::vector<Incoming*> items;
    std::size_t first_offset = 0;
    store::SyncedPage synced;
};

}  // namespace detail

/// Which run the pages belong to.
struct IntakeRun {
    std::int64_t id = 0;  ///< 0: a dry run, which writes nothing
    std::string token;
    bool owns_products = true;  ///< what an item does not say is cleared, as of the source that the products come from
};

/// Pages into the catalog: what of them is new or other is written with the cursor in one transaction. One thread.
class Intake {
public:
    /// `db` must outlive it.
    Intake(pg::Connection& db, IntakeRun run) : db_(db), products_(db), runs_(db), run_(std::move(run)) {}

    /// Takes what the items hold. `cursor` is behind the pages; their counts are added to it. True: somebody asked for
    /// the run's end.
    bool take(std::vector<Page>& pages, SyncCursor& cursor);

private:
    void set_category(Incoming& item);
    static void count(detail::Batch& batch, const store::UpsertOutcome& done, SyncCounts& counts);
    void write(std::span<const catalog::Product> products,
               const std::function<void(const store::UpsertOutcome&)>& save);

    pg::Connection& db_;
    store::ProductStore products_;
    store::SyncStore runs_;
    IntakeRun run_;
    std::map<std::pair<std::string, std::string>, std::string> categories_;  ///< id and name in the source → name here
};

}  // namespace decant::sync
