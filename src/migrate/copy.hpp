#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "chroma/source.hpp"
#include "migrate/recall.hpp"
#include "migrate/run_store.hpp"
#include "migrate/target_table.hpp"
#include "migrate/verify.hpp"
#include "store/index_builder.hpp"

namespace decant::migrate {

struct CopyRequest {
    std::string conninfo;
    chroma::SourceAddress source;
    chroma::CollectionName collection;
    TableName target;  ///< an empty table name stands for the collection's
    store::IndexKind index = store::IndexKind::hnsw;
    pg::VectorType type = pg::VectorType::vector;
    NulPolicy nul = NulPolicy::reject;
    PageLimits page;
    bool replace = false;
    bool drop_old = false;
    bool prune = false;
    bool allow_partial = false;
    bool verify = true;
    std::string command_line;  ///< shown as the command to go on with
};

struct PhaseTime {
    std::string name;  ///< load, index, analyze, verify, recall, swap
    double seconds = 0;
};

struct CopyReport {
    std::int64_t run_id = 0;
    chroma::Collection collection;
    std::optional<chroma::Snapshot> snapshot;
    TableName table;
    std::string load_table;      ///< another than the table's name when a verification kept --replace from swapping
    std::string previous_table;  ///< what `decant rollback` returns to
    bool is_resumed = false;
    bool is_empty = false;  ///< the collection never had a record, so it has no dimension and there is no table
    RowShape shape;
    store::IndexKind index = store::IndexKind::none;
    store::BuildResources resources;  ///< zero when no index was built
    std::vector<std::string> index_sql;
    Counts counts;  ///< of the whole run, resumed parts included
    std::uint64_t lost = 0;
    std::vector<std::string> lost_ids;  ///< of records that the source has but cannot give: raw bytes
    std::vector<PhaseTime> phases;
    std::optional<VerifyOutcome> verification;
    std::optional<RecallOutcome> recall;
    std::string root;                  ///< hex of SHA-256 over all leaves
    std::string extension_schema;      ///< quoted, when pgvector is not in the search path; else empty
    std::string example_id;            ///< a record to try a search with; empty when there is none
    std::vector<std::string> rejects;  ///< lines of the reject file: rejected records, then lost ones
    std::vector<std::string> warnings;
};

/// Told how a copy goes on. All calls come from the thread that called copy_collection.
class CopyObserver {
public:
    virtual ~CopyObserver() = default;
    virtual void begin_phase(const std::string& name, std::uint64_t total) = 0;
    /// False stops the copy at the next page edge.
    virtual bool progress(std::uint64_t done, std::uint64_t bytes) = 0;
    virtual void end_phase() = 0;
    virtual void note(const std::string& line) = 0;
};

/// Copies one collection into its table: load, index, analyze, verify, and with `replace` the swap. Goes on where an
/// earlier run of the same target stopped. Retries what passes by itself (a restarted server, a lock, a source that was
/// being written). Throws Error for everything else; a verification that finds differences is a value of the report.
CopyReport copy_collection(const CopyRequest& request, CopyObserver& observer);

}  // namespace decant::migrate
