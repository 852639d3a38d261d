#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace decant::api {

class Worker;

/// Threads that answer one kind of request, each with a Worker of its own, and a queue of bounded length before them:
/// under more load than they can bear requests are refused at once in the place of all becoming slow.
class Lane {
public:
    using Task = std::function<void(Worker&)>;  ///< does not throw

    /// `make` is called by each thread for itself.
    Lane(std::size_t threads, std::size_t most_waiting, std::function<std::unique_ptr<Worker>()> make);
    Lane(const Lane&) = delete;
    Lane& operator=(const Lane&) = delete;
    /// Ends when all that was taken is done.
    ~Lane();

    /// False when the queue is full. Any thread.
    bool offer(Task task);
    std::size_t waiting() const noexcept { return waiting_; }
    std::size_t running() const noexcept { return running_; }
    /// The part of the queue that is taken, from 0 to 1.
    double load() const noexcept { return static_cast<double>(waiting_) / static_cast<double>(most_waiting_); }

private:
    void work();

    std::size_t most_waiting_;
    std::function<std::unique_ptr<Worker>()> make_;
    std::mutex mutex_;
    std::condition_variable is_due_;
    std::deque<Task> queue_;
    std::atomic<std::size_t> waiting_{0};
    std::atomic<std::size_t> running_{0};
    bool is_closing_ = false;
    std::vector<std::jthread> threads_;
};

}  // namespace decant::api
