#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>

#include "api/metrics_registry.hpp"
#include "api/replica_lag.hpp"
#include "core/error.hpp"
#include "pg/connection.hpp"
#include "pg/connection_cut.hpp"
#include "store/read_replicas.hpp"

namespace decant::api {

/// What is known of the primary. Any thread.
class PrimaryView {
public:
    void note(std::string system, WalPosition position);
    /// None until the primary has answered once.
    std::optional<ReplicaLag> lag_of(WalPosition replayed) const;
    /// Its system_identifier, which a standby shares; empty until then.
    std::string system() const;

private:
    mutable std::mutex mutex_;
    PrimaryHistory history_;
    std::string system_;
};

class ReplicaWatch;

/// A connection to a replica, which is cut when the replica has fallen silent. One thread at a time.
class ReplicaConnection {
public:
    ReplicaConnection(ReplicaWatch& replica, const std::string& conninfo, std::uint64_t generation);
    ReplicaConnection(const ReplicaConnection&) = delete;
    ReplicaConnection& operator=(const ReplicaConnection&) = delete;
    ~ReplicaConnection();

    pg::Connection& db() noexcept { return db_; }
    std::uint64_t generation() const noexcept { return generation_; }

private:
    ReplicaWatch& replica_;
    std::uint64_t generation_;
    pg::Connection db_;
    pg::ConnectionCut cut_;
};

/// Looks, on a connection and a thread of its own, whether a replica answers and how far it is behind. One that does
/// not answer, or is behind the limits, is left, and comes back by itself. Any thread.
class ReplicaWatch {
public:
    /// `primary` must outlive it.
    ReplicaWatch(store::ReplicaAddress address, LagLimits limits, const PrimaryView& primary);
    ReplicaWatch(const ReplicaWatch&) = delete;
    ReplicaWatch& operator=(const ReplicaWatch&) = delete;
    ~ReplicaWatch();

    const std::string& name() const noexcept { return address_.name; }
    /// Whether it is to be asked what must have all up to `least`.
    bool may_answer(WalPosition least) const;
    /// Throws as Connection::open.
    std::unique_ptr<ReplicaConnection> connect();
    /// Grows whenever the replica was away: connections of before are not to be used any more.
    std::uint64_t generation() const noexcept { return generation_; }
    /// A connection of this generation broke: the replica is left until it answered again.
    void report_failure(std::uint64_t generation, const Error& error);
    /// Leaves one that did not answer for seconds, and cuts what waits for it.
    void leave_if_silent();
    void count_answer() noexcept { ++answers_; }
    void count_failed_search() noexcept { ++failed_searches_; }
    ServerState::Replica state() const;

private:
    friend ReplicaConnection;
    enum class Reason { away, behind };

    void run(const std::stop_token& stop);
    void look(const std::stop_token& stop);
    void judge(const pg::Result& row);
    void use();
    void leave(Reason reason, const std::string& told);
    void cut_all();

    const store::ReplicaAddress address_;
    const LagLimits limits_;
    const PrimaryView& primary_;
    mutable std::mutex mutex_;
    std::set<const pg::ConnectionCut*> open_;
    bool is_used_ = false;
    bool is_reached_ = false;
    bool was_told_ = false;  ///< why it is not used
    WalPosition replayed_ = 0;
    std::optional<ReplicaLag> lag_;
    const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
    std::chrono::steady_clock::time_point heard_{};
    std::uint64_t left_away_ = 0;
    std::uint64_t left_behind_ = 0;
    std::uint64_t returned_ = 0;
    std::atomic<std::uint64_t> generation_{0};
    std::atomic<std::uint64_t> answers_{0};
    std::atomic<std::uint64_t> failed_searches_{0};
    std::unique_ptr<ReplicaConnection> own_;  ///< of the thread alone
    std::jthread thread_;
};

}  // namespace decant::api
