#include "pg/cancel_on_stop.hpp"

#include <libpq-fe.h>

#include <array>
#include <chrono>

namespace decant::pg {
namespace {

constexpr std::chrono::milliseconds between_tries{100};

}  // namespace

void CancelOnStop::Notify::operator()() const noexcept {
    const std::lock_guard lock{watch->mutex_};
    watch->is_stopped_ = true;
    watch->changed_.notify_all();
}

CancelOnStop::CancelOnStop(Connection& db, std::stop_token stop)
    : cancel_(PQgetCancel(db.native()), &PQfreeCancel), thread_([this] { watch(); }) {
    callback_.emplace(std::move(stop), Notify{this});
}

CancelOnStop::~CancelOnStop() {
    callback_.reset();
    {
        const std::lock_guard lock{mutex_};
        is_over_ = true;
        changed_.notify_all();
    }
    thread_.join();
}

void CancelOnStop::watch() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return is_stopped_ || is_over_; });
    while (!is_over_) {
        lock.unlock();
        std::array<char, 256> message{};
        if (cancel_) PQcancel(cancel_.get(), message.data(), static_cast<int>(message.size()));
        lock.lock();
        changed_.wait_for(lock, between_tries, [this] { return is_over_; });
    }
}

}  // namespace decant::pg
