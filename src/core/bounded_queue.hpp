#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <utility>

namespace decant {

/// Joins the stages of a pipeline: a blocking queue bounded by the bytes that its items say they hold. An item larger
/// than the bound passes alone. Any number of threads on both sides.
template <typename Item>
class BoundedQueue {
public:
    explicit BoundedQueue(std::size_t byte_limit) : byte_limit_(byte_limit) {}

    /// Waits for room. False when the queue is closed: the item is not taken. Rethrows what fail() was given.
    bool push(Item item, std::size_t bytes) {
        std::unique_lock lock{mutex_};
        room_.wait(lock, [&] { return is_closed_ || failure_ || entries_.empty() || bytes_ + bytes <= byte_limit_; });
        if (failure_) std::rethrow_exception(failure_);
        if (is_closed_) return false;
        entries_.push_back({std::move(item), bytes});
        bytes_ += bytes;
        lock.unlock();
        items_.notify_one();
        return true;
    }

    /// Waits for an item. None when the queue is closed and drained. Rethrows what fail() was given, at once.
    std::optional<Item> pop() {
        std::unique_lock lock{mutex_};
        items_.wait(lock, [&] { return is_closed_ || failure_ || !entries_.empty(); });
        if (failure_) std::rethrow_exception(failure_);
        if (entries_.empty()) {
            if (end_failure_) std::rethrow_exception(end_failure_);
            return std::nullopt;
        }
        return take(lock);
    }

    /// An item that is there now.
    std::optional<Item> try_pop() {
        std::unique_lock lock{mutex_};
        if (failure_) std::rethrow_exception(failure_);
        return entries_.empty() ? std::nullopt : std::optional{take(lock)};
    }

    /// As fail(), but what is in the queue can still be popped before.
    void fail_at_end(std::exception_ptr failure) {
        {
            const std::lock_guard lock{mutex_};
            if (!end_failure_) end_failure_ = std::move(failure);
            is_closed_ = true;
        }
        wake_all();
    }

    /// Nothing more will be pushed; what is in the queue can still be popped.
    void close() {
        {
            const std::lock_guard lock{mutex_};
            is_closed_ = true;
        }
        wake_all();
    }

    /// Stops both sides: every push and pop, waiting or to come, throws `failure`. The first failure stays.
    void fail(std::exception_ptr failure) {
        {
            const std::lock_guard lock{mutex_};
            if (!failure_) failure_ = std::move(failure);
        }
        wake_all();
    }

private:
    struct Entry {
        Item item;
        std::size_t bytes;
    };

    Item take(std::unique_lock<std::mutex>& lock) {
        Entry entry = std::move(entries_.front());
        entries_.pop_front();
        bytes_ -= entry.bytes;
        lock.unlock();
        room_.notify_all();
        return std::move(entry.item);
    }

    void wake_all() {
        room_.notify_all();
        items_.notify_all();
    }

    const std::size_t byte_limit_;
    std::mutex mutex_;
    std::condition_variable room_;
    std::condition_variable items_;
    std::deque<Entry> entries_;
    std::size_t bytes_ = 0;
    std::exception_ptr failure_;
    std::exception_ptr end_failure_;
    bool is_closed_ = false;
};

}  // namespace decant
