#pragma once

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

    /// 0: there is no vector to ask for.
    std::size_t queries() const noexcept { return queries_.size(); }

    struct Outcome {
        double recall = 1;     ///< recall@10: the share of the true nearest that were found
        bool is_used = false;  ///< the planner takes the index of this name
    };
    /// Searches as search/ does with an index of this kind. Inside a transaction of `db`, whose settings it changes;
    /// whatever other index there is must be out of its sight. Throws Error{overloaded} after 10 s, because searches
    /// may be waiting.
    Outcome ask(pg::Connection& db, const store::SearchedIndex& index, std::string_view name) const;

private:
    std::vector<std::vector<float>> queries_;
    std::vector<double> kth_distances_;  ///< of the farthest of the true nearest; one a query
    store::Pgvector pgvector_;
    std::string column_;
};

}  // namespace decant::operate
