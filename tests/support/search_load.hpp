#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace decant::test {

/// One request and what came of it.
struct LoadSample {
    std::chrono::steady_clock::time_point end;
    double milliseconds = 0;
    int status = 0;         ///< 0: sent, and not answered
    bool is_first = false;  ///< of its connection
    bool is_problem = false;
    std::string body = {};  ///< of what is not 200
};

/// Callers of POST /api/v1/pgvector/search, one request at a time each, until they are stopped or nobody listens any
/// more. They keep their connections; every fourth makes a new one for each request. After a refusal a caller waits for
/// 5 ms.
class SearchLoad {
public:
    SearchLoad(std::uint16_t port, std::size_t callers);
    SearchLoad(const SearchLoad&) = delete;
    SearchLoad& operator=(const SearchLoad&) = delete;
    ~SearchLoad();

    /// With status 200 so far.
    std::size_t answered() const noexcept { return answered_; }
    /// Ends the callers after their requests under way.
    std::vector<LoadSample> stop();
    /// Waits until every caller found that nobody listens.
    std::vector<LoadSample> wait();

private:
    void call(std::uint16_t port, std::size_t number);
    void keep(const LoadSample& sample);

    std::atomic<bool> is_stopping_{false};
    std::atomic<std::size_t> answered_{0};
    std::mutex mutex_;
    std::vector<LoadSample> samples_;
    std::vector<std::thread> callers_;
};

/// A POST with JSON as it is on the wire.
std::string json_post(const std::string& path, const std::string& body, bool keeps_alive = true);

}  // namespace decant::test
