#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pg/connection.hpp"
#include "search/engine.hpp"
#include "work/catalog_model.hpp"

namespace decant::cli {

/// The search engine with all that the settings name; what is not needed is not opened.
class ProductSearch {
public:
    /// `settings` must outlive it; `is_sharded` asks the sharded copy whatever SHARD_SEARCH says. Throws what
    /// Connection::open does, and Error{config_invalid}.
    explicit ProductSearch(const Settings& settings, bool is_sharded = false);
    ProductSearch(const ProductSearch&) = delete;
    ProductSearch& operator=(const ProductSearch&) = delete;

    search::Engine& engine() noexcept { return engine_; }
    pg::Connection& db() noexcept { return db_; }
    /// The one of the catalog's vectors. Opens it at the first call. Throws what work::open_catalog_embedder does.
    embed::Embedder& embedder();
    embed::Embedder& embedder_of(const std::optional<store::ColumnModel>& column);

private:
    struct Opened {
        std::optional<store::ColumnModel> column;
        std::unique_ptr<embed::Embedder> embedder;
    };

    const Settings& settings_;
    std::string conninfo_;
    pg::Connection db_;
    std::vector<Opened> opened_;  ///< one that was opened stays: a search may be at it still
    std::unique_ptr<search::ChromaSearch> chroma_;
    search::Engine engine_;
};

/// Throws Error{request_malformed} naming all strategies.
search::Strategy parse_strategy(const std::string& name);

}  // namespace decant::cli
