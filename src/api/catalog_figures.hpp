#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "api/metrics_registry.hpp"
#include "pg/connection.hpp"
#include "store/embedding_statistics.hpp"

namespace decant::api {

/// What a pass over all products found.
struct CatalogCount {
    store::EmbeddingStatistics statistics;
    std::vector<store::ModelEmbeddings> models;
    std::string counted_at;  ///< UTC, ISO 8601: what was committed by then is counted
};

/// What is told of the queue and the catalog without asking the database each time, read every ten seconds by a thread
/// of its own; where passing over all products takes longer than a moment, that is done every half a minute. Nothing
/// while the database is away or has no such tables. Any thread.
class CatalogFigures {
public:
    /// `model` gives the name of the one in use.
    CatalogFigures(std::string conninfo, std::function<std::string()> model);

    std::optional<ServerState::Jobs> jobs() const;
    std::optional<ServerState::Products> products() const;
    std::optional<CatalogCount> count() const;

private:
    void run(const std::stop_token& stop);
    void read();
    void count_products();

    std::string conninfo_;
    std::function<std::string()> model_;
    mutable std::mutex mutex_;
    std::optional<ServerState::Jobs> jobs_;
    std::optional<CatalogCount> count_;
    std::optional<pg::Connection> db_;  ///< of the thread
    int rounds_to_count_ = 0;           ///< the same
    std::jthread thread_;               ///< last: it uses the others
};

}  // namespace decant::api
