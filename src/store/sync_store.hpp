#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/json.hpp"
#include "pg/connection.hpp"

namespace decant::store {

/// A row of decant.sync_runs.
struct SyncRun {
    std::int64_t id = 0;
    std::string source;  ///< dux, csv, sql
    std::string origin;  ///< without secrets
    std::string scope;   ///< full, incremental, partial
    std::string state;
    std::string started_at;
    std::string ended_at;  ///< empty: it has not
    json::object cursor;
    json::object report;
};

/// {run, source, origin, scope, state, started_at, ended_at or null, and counts: read, created, updated, unchanged,
/// deactivated, quarantined}
json::object json_of(const SyncRun& run);

/// An item that could not be had, or not all of it.
struct Quarantined {
    std::optional<std::string> sku;
    std::size_t page_offset = 0;
    std::string reason;
    std::string item;  ///< as it came
};

/// What a page leaves behind besides products; in the transaction of the page's products.
struct SyncedPage {
    std::vector<std::string> seen;                           ///< skus
    std::vector<std::pair<std::string, std::string>> items;  ///< sku and the item as JSON
    std::vector<Quarantined> quarantined;
    json::object cursor;  ///< from here the next process goes on
};

/// The tables of migration 008: runs of a sync, what they saw, raw items, quarantine. Statements run in the caller's
/// transaction if there is one. Throws Error{not_found} with the command that makes the tables where they are missing.
class SyncStore {
public:
    explicit SyncStore(pg::Connection& db) noexcept : db_(db) {}

    /// Asks for the lock that keeps a second sync off; see pg::HeldLock.
    static constexpr std::string_view lock_sql = "SELECT pg_try_advisory_xact_lock(hashtextextended('decant sync', 0))";
    /// Whether somebody has it.
    bool is_running();

    /// `due_at`: the hour of the schedule; none when another run of that hour is there already.
    std::optional<std::int64_t> begin(const SyncRun& run, const std::string& token,
                                      const std::optional<std::string>& due_at);
    /// The newest run of that source and origin that did not end, is younger than a day, and reads the same: all items,
    /// or those that changed. Others that did not end are marked as abandoned.
    std::optional<SyncRun> unfinished(const SyncRun& like);
    void take_over(std::int64_t run, const std::string& token, const std::string& scope);
    /// Seconds since the last request of any run of that source; none: there was none.
    std::optional<double> seconds_since_request(const std::string& source);

    /// True: somebody asked for the run's end. Throws Error{busy} when another process has taken the run over.
    bool save_page(std::int64_t run, const std::string& token, const SyncedPage& page);
    /// How many skus of `seen` the run had seen before.
    std::uint64_t add_seen(std::int64_t run, const std::vector<std::string>& seen);
    void forget_seen(std::int64_t run);
    void forget_quarantined(std::int64_t run);
    /// Forgets what a run has seen too, unless it is stopped and will be gone on with. Throws as save_page, with
    /// nothing changed. Not within a transaction.
    void finish(std::int64_t run, const std::string& token, const std::string& state, const json::object& report);

    struct Vanishing {
        std::uint64_t known = 0;     ///< active products of that source
        std::uint64_t vanished = 0;  ///< of these, not seen by the run
    };
    Vanishing count_vanished(std::int64_t run, const std::string& source);
    std::uint64_t deactivate_vanished(std::int64_t run, const std::string& source);

    /// The name under which products refer to the category that the source calls `external_id`; makes it, and renames
    /// it where the source did. `is_dry_run`: the name that there is.
    std::string category_name(const std::string& external_id, const std::string& name, bool is_dry_run);

    /// The start of the last complete run with that scope (empty: any), as timestamptz; none: there was none.
    std::optional<std::string> last_complete(const std::string& source, const std::string& scope);
    /// The newest first. One whose process died, so that no sync is running, has the state "interrupted".
    std::vector<SyncRun> runs(std::size_t limit);
    /// None where the tables are missing.
    std::vector<SyncRun> runs_if_any(std::size_t limit);
    /// Of the newest run, or of the one named; the newest first.
    json::array quarantine(std::optional<std::int64_t> run, std::size_t limit);
    /// Whether there was a run to be ended.
    bool ask_cancel();
    /// Removes old runs, but for the last complete one of each source and scope.
    void prune();

private:
    pg::Connection& db_;
};

}  // namespace decant::store
