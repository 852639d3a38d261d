#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "pg/connection.hpp"
#include "store/embedding_indexes.hpp"
#include "store/pgvector.hpp"

namespace decant::operate {

/// Stored vectors with their true nearest ones, to be held against an index. One thread.
class IndexProof {
public:
    /// Draws 100 vectors and compares each with all others, in one pass over products. `may_go_on` is asked meanwhile;
    /// when it says false, Error{cancelled}.
    IndexProof(pg::Connection& db, store::Pgvector pgvector, const std::function<bool()>& may_go_on,
               std::string column = "embedding");

    struct Outcome {
        double recall = 1;      ///< recall@10: the share of the true nearest that were found
        bool is_used = false;   ///< the planner takes the index of this name
        std::size_t asked = 0;  ///< of the vectors; the recall is of these. 0: there is none to ask for
    };
    struct Patience {
        std::chrono::seconds longest{2};  ///< searches may be waiting
        std::function<std::chrono::steady_clock::time_point()> now = std::chrono::steady_clock::now;
    };
    /// Searches as search/ does with an index of this kind. Inside a transaction of `db`, whose settings it changes;
    /// whatever other index there is must be out of its sight. When the patience ends it judges by what was asked until
    /// then; throws Error{overloaded} where that are fewer than 10.
    Outcome ask(pg::Connection& db, const store::SearchedIndex& index, std::string_view name,
                const Patience& patience) const;

private:
    std::vector<std::vector<float>> queries_;
    std::vector<double> kth_distances_;  ///< of the farthest of the true nearest; one a query
    store::Pgvector pgvector_;
    std::string column_;
};

}  // namespace decant::operate
