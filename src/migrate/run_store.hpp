#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "migrate/page_stream.hpp"
#include "migrate/row_encoder.hpp"
#include "pg/connection.hpp"

namespace decant::migrate {

/// Counts of one run; every record read is in exactly one of copied, updated, unchanged, rejected.
struct Counts {
    std::uint64_t read = 0;
    std::uint64_t copied = 0;
    std::uint64_t updated = 0;
    std::uint64_t unchanged = 0;
    std::uint64_t rejected = 0;
    std::uint64_t kept = 0;    ///< rows of the table that the source does not have, left in place
    std::uint64_t pruned = 0;  ///< the same, removed by --prune
    std::uint64_t bytes = 0;   ///< of row images written

    Counts& operator+=(const Counts& other) noexcept;
};

/// A row of decant.runs.
struct Run {
    std::int64_t id = 0;
    std::string command;  ///< "copy", "into"
    std::string state;    ///< running, stopped, failed, done, differs, abandoned, rolled_back
    std::string phase;    ///< load, index, verify, swapped, done
    std::string schema;
    std::string table;
    std::string load_table;      ///< where rows go: `table`, or the one beside it that --replace fills
    std::string previous_table;  ///< what rollback returns to; empty: nothing
    std::string source_path;
    std::string tenant;
    std::string database;
    std::string collection;
    std::string collection_id;
    std::string fingerprint;
    RowShape shape;
    std::optional<std::string> last_id;  ///< raw bytes of the last id that is done
    Counts counts;
    std::string host;
    std::int64_t pid = 0;
    std::string started_at;
    std::string finished_at;
    std::string root;    ///< hex; empty until known
    std::string report;  ///< JSON of the closing report; empty until finished
};

/// What one page changed, saved with it in one transaction.
struct PageDone {
    const Page& page;
    Counts delta;
    std::vector<std::string> kept;
};

struct RunEnd {
    std::string state;  ///< done, or differs when verification found a difference
    std::string root;
    std::string report;        ///< JSON
    std::int64_t changes = 0;  ///< the server's count of row changes of the table, for rollback
};

/// decant's own tables in the target database (schema decant). Statements run in the caller's transaction if there is
/// one.
class RunStore {
public:
    explicit RunStore(pg::Connection& db) : db_(db) {}

    /// Makes the schema and its tables where they are missing.
    void prepare();
    bool is_prepared();

    std::int64_t create(const Run& run);
    /// Marks the run as this process's. The token fences a process that lost its lock.
    void take_over(std::int64_t run_id, const std::string& token);
    std::optional<Run> find(std::int64_t run_id);
    /// The newest run that wrote the table itself: where its rows come from.
    std::optional<Run> origin(const std::string& schema, const std::string& table);
    /// The newest run of that table which has not ended; `is_replacement` asks for one that fills a table beside it.
    std::optional<Run> unfinished(const std::string& schema, const std::string& table, bool is_replacement);
    std::vector<Run> list(std::size_t limit);

    /// Throws Error{busy} when another process has taken the run over or abandoned it. In a transaction it stays this
    /// process's until that ends.
    void require_held(std::int64_t run_id, const std::string& token);
    /// Throws as require_held.
    void save_page(std::int64_t run_id, const std::string& token, const PageDone& done);
    /// For runs that keep no pages.
    void set_counts(std::int64_t run_id, const Counts& counts);
    void set_phase(std::int64_t run_id, const std::string& phase);
    void set_state(std::int64_t run_id, const std::string& state);
    /// Nobody goes on with it, whoever still runs it is fenced.
    void abandon(std::int64_t run_id);
    /// Marks as rolled back the run that swapped the table in and all later ones of it; `newest` is its origin().
    void undo_swap(const Run& newest);
    /// The run's table stands under its final name now, the one before it under `previous` (empty: dropped).
    void record_swap(std::int64_t run_id, const std::string& previous);
    void finish(std::int64_t run_id, const RunEnd& end);
    /// Puts the verification's outcome into the run's record.
    void save_verification(std::int64_t run_id, const std::string& verification);

    /// The leaves of the next pages of the manifest, in id order; empty at the end. `after_page` starts at 0.
    std::string next_leaves(std::int64_t run_id, std::int64_t& after_page);
    std::vector<std::string> kept_ids(std::int64_t run_id);
    std::vector<std::string> reject_lines(std::int64_t run_id);
    std::vector<std::string> rejected_ids(std::int64_t run_id);
    /// Hex of SHA-256 over all leaves in id order: the same however the run was cut into pages.
    std::string compute_root(std::int64_t run_id);

    /// Removes finished runs that no table's newest state depends on; the number removed.
    std::uint64_t prune(std::uint64_t keep);

private:
    pg::Connection& db_;
};

}  // namespace decant::migrate
