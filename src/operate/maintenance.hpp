#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/enum_names.hpp"
#include "core/json.hpp"
#include "operate/operation_lock.hpp"
#include "operate/reindex.hpp"
#include "pg/connection.hpp"
#include "store/embedding_indexes.hpp"
#include "store/retained.hpp"

namespace decant::operate {

/// In the order in which they are done. probe is a task only where it failed.
enum class Upkeep { probe, drop_invalid, prune, vacuum, analyze, refresh, reindex };
inline constexpr EnumNames<Upkeep, 7> upkeep_names{
    {"probe", "drop invalid", "prune", "vacuum", "analyze", "refresh", "reindex"}};
enum class UpkeepState { due, done, failed };
inline constexpr EnumNames<UpkeepState, 3> upkeep_state_names{{"due", "done", "failed"}};

struct UpkeepTask {
    Upkeep kind = Upkeep::analyze;
    std::string object;  ///< "public.products"
    std::string reason;  ///< why it is due
    UpkeepState state = UpkeepState::due;
    std::string outcome = {};  ///< what came of it; of one that failed what went wrong
    double seconds = 0;
};

struct MaintenanceSetup {
    std::string conninfo;
    std::string model;  ///< whose vectors are not stale
    std::vector<store::Retained> retained = {};
    double least_recall = quality::least_index_recall;
    std::function<void(const std::string& line)> note = [](const std::string&) {};
    std::stop_token stop = {};
};

/// What is due by what the server knows of its tables, the last probe of the index, and one pass over products; of
/// tables that belong to the role only. Changes nothing. Throws Error{not_found} where there is no catalog.
std::vector<UpkeepTask> plan_maintenance(pg::Connection& db, const MaintenanceSetup& setup);

/// Probes the index where the last probe is an hour old, and does what is due, one after the other; what fails is told
/// in its task and keeps no other from being done. Searches and writes go on. After a stop the rest stays due. Throws
/// as plan_maintenance, and Error{cancelled} for a stop while it probes.
std::vector<UpkeepTask> run_maintenance(const MaintenanceSetup& setup, const OperationLock& lock);

json::array json_of(const std::vector<UpkeepTask>& tasks);

struct AnalyzedTable {
    std::string name;  ///< "public.products"
    std::uint64_t rows = 0;
    double seconds = 0;
};
/// ANALYZE of the catalog's tables and of decant's own, those that belong to the role. Throws Error{permission_denied}
/// where products does not.
std::vector<AnalyzedTable> analyze_tables(pg::Connection& db);

/// Bytes of a vector index of so many rows when nothing of it is dead. Source: hnswbuild.c and ivfbuild.c of pgvector;
/// m = 16.
std::uint64_t expected_index_bytes(const store::SearchedIndex& index, std::uint64_t rows, std::uint64_t dimension);

}  // namespace decant::operate
