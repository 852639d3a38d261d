#include "api/lane.hpp"

#include "api/worker.hpp"

namespace decant::api {

Lane::Lane(std::size_t threads, std::size_t most_waiting, std::function<std::unique_ptr<Worker>()> make)
    : most_waiting_(most_waiting), make_(std::move(make)) {
    for (std::size_t i = 0; i < threads; ++i)
        threads_.emplace_back([this] { work(); });
}

Lane::~Lane() {
    {
        const std::lock_guard lock{mutex_};
        is_closing_ = true;
    }
    is_due_.notify_all();
    threads_.clear();
}

bool Lane::offer(Task task) {
    {
        const std::lock_guard lock{mutex_};
        if (queue_.size() >= most_waiting_) return false;
        queue_.push_back(std::move(task));
        waiting_ = queue_.size();
    }
    is_due_.notify_one();
    return true;
}

void Lane::work() {
    const std::unique_ptr<Worker> worker = make_();
    for (;;) {
        Task task;
        {
            std::unique_lock lock{mutex_};
            is_due_.wait(lock, [this] { return is_closing_ || !queue_.empty(); });
            if (queue_.empty()) return;
            task = std::move(queue_.front());
            queue_.pop_front();
            waiting_ = queue_.size();
        }
        ++running_;
        task(*worker);
        --running_;
    }
}

}  // namespace decant::api
