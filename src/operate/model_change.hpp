#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "embed/embedder.hpp"
#include "operate/operation_lock.hpp"
#include "pg/binary_row.hpp"
#include "quality/index_recall.hpp"
#include "store/second_column.hpp"

namespace decant::operate {

/// How good the answers of one model are to judged queries.
struct JudgedScore {
    double ndcg = 0;  ///< mean nDCG@10
    std::size_t queries = 0;
};

struct ModelChangeRequest {
    std::string conninfo;
    std::string model;  ///< as a person names it
    std::function<std::unique_ptr<embed::Embedder>()> open;
    std::size_t asked_dimension = 0;  ///< of store::ColumnModel
    store::ColumnModel configured;    ///< the model of the vectors that are there, where their column tells none
    std::size_t batch_size = 64;
    pg::VectorType index_type = pg::VectorType::vector;
    double least_recall = quality::least_index_recall;
    double most_loss = 0.02;     ///< of nDCG@10 over the judged queries
    bool accepts_worse = false;  ///< swaps also below these
    bool dry_run = false;
    /// Asks the judged queries of a column with its model; empty: there are none.
    std::function<JudgedScore(const store::VectorColumns& columns, embed::Embedder& embedder)> judge = {};
    /// The model that is there, for `judge`.
    std::function<std::unique_ptr<embed::Embedder>(const store::ColumnModel&)> open_before = {};
    std::stop_token stop = {};
};

/// Told while it works. `progress`: done of total of the phase; false stops the change.
struct ModelChangeWatch {
    std::function<bool(const std::string& phase, std::uint64_t done, std::uint64_t total)> progress;
    std::function<void(const std::string& line)> note;
};

struct RefusedProduct {
    std::string id;
    std::string reason;
};

struct ModelChangeReport {
    store::ColumnModel before;
    store::ColumnModel after;
    bool is_resumed = false;
    bool is_swapped = false;
    std::uint64_t products = 0;           ///< active ones
    std::uint64_t needed_bytes = 0;       ///< about, of the server's disk
    std::uint64_t embedded = 0;           ///< by this run
    std::vector<RefusedProduct> refused;  ///< that the model cannot embed
    std::optional<double> recall_before;  ///< recall@10 of the index against the exact scan; none: it has no index
    double recall = 1;
    std::size_t queries = 0;
    std::optional<JudgedScore> judged_before;
    std::optional<JudgedScore> judged;
    std::string too_bad;       ///< why it was not swapped; empty: it was
    std::uint64_t queued = 0;  ///< changed so near the swap that a worker is to embed them
    double fill_seconds = 0;
    double build_seconds = 0;
    double pause_milliseconds = 0;  ///< how long searches waited for the swap
};

/// Fills the second column with vectors of another model while searches, workers and writers go on with the first,
/// builds its index, compares both, and exchanges them in one transaction. Where it ends, however it ends, searches
/// have the old column whole or the new one; the same request again goes on with what is there. Throws Error that names
/// all problems at once; Error{busy}, Error{cancelled}; what the model throws about itself.
ModelChangeReport change_model(const ModelChangeRequest& request, const OperationLock& lock,
                               const ModelChangeWatch& watch);

struct ModelRollbackReport {
    store::ColumnModel before;
    store::ColumnModel after;
    std::uint64_t queued = 0;  ///< products that changed, or came, since the model was changed
    double seconds = 0;        ///< until searches had it
    double pause_milliseconds = 0;
};

/// Exchanges the columns again: searches have the model from before the last change. Throws Error{not_found}: none is
/// kept; Error{conflict}: a change is under way; Error{busy}.
ModelRollbackReport roll_model_back(const std::string& conninfo, const OperationLock& lock);

/// Removes the second column. What it was; throws Error{not_found} where there is none, Error{busy}.
store::SecondColumn forget_second_model(const std::string& conninfo, const OperationLock& lock);

}  // namespace decant::operate
