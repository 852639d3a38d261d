#pragma once

#include "operate/model_change.hpp"
#include "store/catalog_state.hpp"

namespace decant::operate::detail {

/// What a change of the model starts from.
struct ModelGround {
    store::CatalogState catalog;
    store::Pgvector pgvector;
    store::ColumnModel before;
    std::optional<store::SecondColumn> second;
    std::unique_ptr<embed::Embedder> embedder;  ///< of the new model
    std::uint64_t products = 0;
    std::uint64_t needed_bytes = 0;  ///< about, of the server's disk
};

/// Looks at all that could stop the change, and throws one Error that names all of it.
ModelGround prove_ground(pg::Connection& db, const ModelChangeRequest& request);

}  // namespace decant::operate::detail
