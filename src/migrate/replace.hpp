#pragma once

#include <cstdint>
#include <string>

#include "migrate/run_store.hpp"
#include "migrate/target_table.hpp"

namespace decant::migrate {

/// Throws Error{conflict} when it is a view or another thing than an ordinary table, or naming the foreign keys, views,
/// triggers and policies that hang on the table: they would stay with the old one.
void check_replaceable(pg::Connection& db, const TableName& table);

struct Swap {
    TableName target;
    std::string load_table;
    std::int64_t run_id = 0;
    std::string token = {};  ///< by which the run is held
    bool drop_old = false;
};

/// In one transaction: the loaded table takes owner, grants and name of the present one, which is kept under another
/// name (given back; empty with drop_old). Index names follow their tables. Throws Error{busy} when another process has
/// taken the run over: the loaded table may be that one's.
std::string swap_tables(pg::Connection& db, const Swap& swap);

/// Drops a table that a run of `target` left under the name `kept`; nothing when there is none. Throws Error{conflict}
/// when the table of that name is not decant's.
void drop_left_table(pg::Connection& db, const TableName& target, const std::string& kept);

/// Drops what --replace and rollback kept of the table.
void drop_kept_tables(pg::Connection& db, const TableName& table);

struct RollbackOutcome {
    TableName table;
    std::string undone_table;  ///< where the rows of the undone copy are kept; empty when dropped
    std::int64_t run_id = 0;
    double seconds = 0;
};

/// Puts back the table that the last `copy --replace` kept, in one transaction. Throws Error{not_found} when none is
/// kept, Error{conflict} when rows were changed since the copy and not `force`.
RollbackOutcome rollback_table(const std::string& conninfo, const TableName& table, bool force);

}  // namespace decant::migrate
