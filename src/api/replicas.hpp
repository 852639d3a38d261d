#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "api/metrics_registry.hpp"
#include "api/replica_watch.hpp"
#include "core/settings.hpp"
#include "pg/connection.hpp"
#include "store/database_address.hpp"

namespace decant::api {

/// The hot standbys that searches are given to, in turn. Without any, nothing runs and the primary answers all.
/// Any thread.
class Replicas {
public:
    struct Setup {
        std::string primary = {};  ///< conninfo
        std::vector<store::ReplicaAddress> addresses = {};
        LagLimits limits = {};
    };

    explicit Replicas(Setup setup);

    /// Whose turn it is of those that answer, are not too far behind and have what `caller` wrote; null: the primary.
    ReplicaWatch* choose(const std::string& caller);
    /// What `caller` searches for from now on is answered by servers that have all that the primary has by now.
    void note_write(const std::string& caller, const std::function<pg::Connection&()>& primary);

    void count_answer_of_primary() noexcept { ++primary_answers_; }
    std::uint64_t answers_of_primary() const noexcept { return primary_answers_; }
    std::vector<ServerState::Replica> states() const;

private:
    struct Write {
        WalPosition position;
        std::chrono::steady_clock::time_point at;
    };

    WalPosition written_by(const std::string& caller) const;
    void watch_primary(const std::stop_token& stop);

    Setup setup_;
    PrimaryView primary_;
    std::atomic<std::size_t> turn_{0};
    std::atomic<std::uint64_t> primary_answers_{0};
    mutable std::mutex mutex_;
    std::map<std::string, Write> writes_;  ///< the last of each caller
    std::vector<std::unique_ptr<ReplicaWatch>> watches_;
    std::jthread thread_;
};

/// DB_READ_HOSTS, DB_READ_LAG_BYTES, DB_READ_LAG_SECONDS. Throws Error{config_invalid}.
Replicas::Setup replicas_setup(const Settings& settings, const store::DatabaseAddress& primary);

}  // namespace decant::api
