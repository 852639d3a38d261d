#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "api/metrics_registry.hpp"
#include "pg/connection.hpp"

namespace decant::api {

/// What GET /metrics tells of the queue and the catalog, read every ten seconds by a thread of its own; counting
/// products, which passes over all of them, every half a minute. Nothing while the database is away or has no such
/// tables. Any thread.
class CatalogFigures {
public:
    /// `model` gives the name of the one in use.
    CatalogFigures(std::string conninfo, std::function<std::string()> model);

    std::optional<ServerState::Jobs> jobs() const;
    std::optional<ServerState::Products> products() const;

private:
    void run(const std::stop_token& stop);
    void read();
    void read_products();

    std::string conninfo_;
    std::function<std::string()> model_;
    mutable std::mutex mutex_;
    std::optional<ServerState::Jobs> jobs_;
    std::optional<ServerState::Products> products_;
    std::optional<pg::Connection> db_;  ///< of the thread
    int rounds_ = 0;                    ///< the same
    std::jthread thread_;               ///< last: it uses the others
};

}  // namespace decant::api
