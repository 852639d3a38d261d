#include "net/detail/outbox.hpp"

#include <utility>

namespace decant::net {
namespace {

constexpr std::size_t most_unsent_bytes = 64 * 1024;

class OutboxExchange final : public Exchange {
public:
    explicit OutboxExchange(std::shared_ptr<Outbox> outbox) : outbox_(std::move(outbox)) {}
    OutboxExchange(const OutboxExchange&) = delete;
    OutboxExchange& operator=(const OutboxExchange&) = delete;
    ~OutboxExchange() override { outbox_->drop(); }

    const ServerRequest& request() const noexcept override { return outbox_->request(); }
    std::stop_token left() const noexcept override { return outbox_->left().get_token(); }
    void reply(ServerResponse response) override { outbox_->reply(std::move(response)); }
    void begin_stream(ServerResponse response) override { outbox_->begin_stream(std::move(response)); }
    bool write(std::string bytes) override { return outbox_->write(std::move(bytes)); }
    void end_stream() override { outbox_->end_stream(); }

private:
    std::shared_ptr<Outbox> outbox_;
};

}  // namespace

Outbox::Outbox(ServerRequest request, std::function<void()> wake)
    : request_(std::move(request)), wake_(std::move(wake)) {}

Outbox::Part Outbox::take() {
    const std::lock_guard lock{mutex_};
    is_posted_ = false;
    return std::exchange(next_, Part{});
}

void Outbox::note_sent(std::size_t bytes) {
    {
        const std::lock_guard lock{mutex_};
        unsent_ -= bytes;
    }
    has_room_.notify_all();
}

void Outbox::close() {
    {
        const std::lock_guard lock{mutex_};
        is_closed_ = true;
    }
    left_.request_stop();
    has_room_.notify_all();
}

void Outbox::reply(ServerResponse response) {
    std::unique_lock lock{mutex_};
    if (state_ != State::unanswered) return;
    state_ = State::ended;
    next_.response = std::move(response);
    next_.is_last = true;
    post(std::move(lock));
}

void Outbox::begin_stream(ServerResponse response) {
    std::unique_lock lock{mutex_};
    if (state_ != State::unanswered) return;
    state_ = State::streaming;
    next_.response = std::move(response);
    next_.is_stream = true;
    post(std::move(lock));
}

bool Outbox::write(std::string bytes) {
    std::unique_lock lock{mutex_};
    has_room_.wait(lock, [this] { return is_closed_ || unsent_ < most_unsent_bytes; });
    if (is_closed_ || state_ != State::streaming) return false;
    unsent_ += bytes.size();
    next_.bytes += bytes;
    post(std::move(lock));
    return true;
}

void Outbox::end_stream() {
    std::unique_lock lock{mutex_};
    if (state_ != State::streaming) return;
    state_ = State::ended;
    next_.is_last = true;
    post(std::move(lock));
}

void Outbox::drop() {
    std::unique_lock lock{mutex_};
    if (state_ == State::ended) return;
    state_ = State::ended;
    next_.is_dropped = true;
    post(std::move(lock));
}

void Outbox::post(std::unique_lock<std::mutex> lock) {
    const bool is_news = !std::exchange(is_posted_, true) && !is_closed_;
    lock.unlock();
    if (is_news) wake_();
}

std::shared_ptr<Exchange> open_exchange(std::shared_ptr<Outbox> outbox) {
    return std::make_shared<OutboxExchange>(std::move(outbox));
}

}  // namespace decant::net
