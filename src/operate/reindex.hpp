#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "operate/operation_lock.hpp"
#include "pg/binary_row.hpp"
#include "quality/index_recall.hpp"
#include "store/pgvector.hpp"

namespace decant::operate {

struct ReindexRequest {
    std::string conninfo;
    store::IndexKind kind = store::IndexKind::hnsw;
    pg::VectorType type = pg::VectorType::vector;       ///< halfvec: embedding::halfvec(N), half the size
    double least_recall = quality::least_index_recall;  ///< under it the new index does not take the old one's place
    std::stop_token stop = {};
};

/// Told while it works. `progress`: done of total in the unit of the phase, as pg_stat_progress_create_index has it;
/// false stops the rebuild.
struct ReindexWatch {
    std::function<bool(const std::string& phase, std::uint64_t done, std::uint64_t total)> progress;
    std::function<void(const std::string& line)> note;
};

struct ReindexReport {
    std::string index;       ///< its name in the end
    std::string definition;  ///< CREATE INDEX ...
    std::uint64_t vectors = 0;
    std::uint64_t bytes = 0;
    std::uint64_t bytes_before = 0;      ///< of those that it replaces
    std::vector<std::string> leftovers;  ///< of builds that were interrupted; removed
    std::vector<std::string> replaced;   ///< gone, or kept where it is not swapped
    bool is_resumed = false;             ///< an earlier run had built it
    bool is_swapped = false;             ///< false: it found too few, and is gone
    bool is_used = true;                 ///< false: the planner does not take it
    double recall = 1;                   ///< recall@10
    std::size_t queries = 0;             ///< by which it was judged
    double build_seconds = 0;
    double proof_seconds = 0;
    double pause_milliseconds = 0;  ///< how long searches waited for the swap
};

/// Builds a vector index of products beside the one that is there, while searches and writes go on, holds it against
/// the exact scan, and only then puts it in the other's place. Where that ends, however it ends, the old index is there
/// whole or the new one is; another call goes on with what was built. The last part of the proof is made in the
/// transaction of the swap, which alone can keep the planner from the old index: searches wait for it, a moment, and
/// for about 3 s at most.
/// Throws Error{not_found} and what embedding_problem says; Error{permission_denied}; Error{request_invalid} for more
/// dimensions than an index takes; Error{busy} where an index is being built or the table stays locked;
/// Error{cancelled}.
ReindexReport rebuild_index(const ReindexRequest& request, const OperationLock& lock, const ReindexWatch& watch);

/// The request for an index of the kind and type that searches use now. Where there is none: HNSW, in half precision
/// where there are too many dimensions for a whole one.
ReindexRequest for_index_in_use(pg::Connection& db, ReindexRequest request);

/// rebuild_index for_index_in_use, then probe_new_index.
/// Throws Error{conflict} where the old one is kept.
ReindexReport renew_index(pg::Connection& db, ReindexRequest request, const std::string& model,
                          const OperationLock& lock, const ReindexWatch& watch);

/// A new probe of the recall of the index that searches have from now on, for `model`: what was known of another one is
/// not held against it. Where it fails that is a note, because the index is in its place.
void probe_new_index(pg::Connection& db, const std::string& model,
                     const std::function<void(const std::string& line)>& note);

/// Invalid indexes on embedding, which interrupted builds leave; their names, once they are dropped. None while an
/// index of products is being built, by whichever role.
std::vector<std::string> drop_invalid_indexes(pg::Connection& db);

}  // namespace decant::operate
