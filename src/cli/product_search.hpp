#pragma once

#include <memory>
#include <string>

#include "embed/open_embedder.hpp"
#include "pg/connection.hpp"
#include "search/engine.hpp"

namespace decant::cli {

/// The search engine with all that the settings name; what is not needed is not opened.
class ProductSearch {
public:
    /// `settings` must outlive it. Throws what Connection::open does, and Error{config_invalid}.
    explicit ProductSearch(const Settings& settings);
    ProductSearch(const ProductSearch&) = delete;
    ProductSearch& operator=(const ProductSearch&) = delete;

    search::Engine& engine() noexcept { return engine_; }
    pg::Connection& db() noexcept { return db_; }
    /// Opens the model at the first call. Throws what embed::require_embedder does.
    embed::Embedder& embedder();

private:
    const Settings& settings_;
    std::string conninfo_;
    pg::Connection db_;
    std::unique_ptr<embed::Embedder> embedder_;
    std::unique_ptr<search::ChromaSearch> chroma_;
    search::Engine engine_;
};

/// Throws Error{request_malformed} naming all strategies.
search::Strategy parse_strategy(const std::string& name);

}  // namespace decant::cli
