#include "net/detail/connection.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <exception>
#include <utility>

#include "core/log.hpp"
#include "net/detail/request_reader.hpp"

namespace decant::net {
namespace {

using namespace std::chrono_literals;
using boost::asio::awaitable;
using boost::asio::ip::tcp;

constexpr std::size_t buffer_bytes = 16 * 1024;
constexpr auto last_chance = 500ms;      // for one more request of an idle connection
constexpr auto longest_linger = 1000ms;  // for a client to read its answer and close
constexpr auto until_woken = 24h;

boost::asio::ip::address peer_of(const tcp::socket& socket) {
    boost::system::error_code code;
    const auto address = socket.remote_endpoint(code).address();
    if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address;
    return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6());
}

}  // namespace

/// While it lives its connection waits for a whole request, and may be closed for another.
class Connection::Waiting {
public:
    explicit Waiting(Connection& connection)
        : core_(*connection.core_), place_(core_.waiting.insert(core_.waiting.end(), &connection)) {
        ++core_.counters.idle;
    }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    ~Waiting() {
        note_byte();
        core_.waiting.erase(place_);
    }

    /// True for the first one.
    bool note_byte() {
        if (!std::exchange(is_idle_, false)) return false;
        --core_.counters.idle;
        return true;
    }

private:
    ServerCore& core_;
    std::list<Connection*>::iterator place_;
    bool is_idle_ = true;
};

/// The memory of a body that comes: where all are too many, the one that takes longest goes.
class Connection::ComingBody {
public:
    explicit ComingBody(Connection& connection)
        : core_(*connection.core_), place_(core_.bodies.insert(core_.bodies.end(), &connection)) {}
    ComingBody(const ComingBody&) = delete;
    ComingBody& operator=(const ComingBody&) = delete;
    ~ComingBody() {
        core_.body_bytes -= bytes_;
        core_.bodies.erase(place_);
    }

    void add(std::size_t bytes) {
        bytes_ += bytes;
        core_.body_bytes += bytes;
        if (core_.body_bytes <= core_.setup.most_bodies_bytes) return;
        const auto longest =
            std::ranges::find_if(core_.bodies, [](const Connection* one) { return !one->is_closing(); });
        if (longest == core_.bodies.end()) return;
        ++core_.counters.closed_for_room;
        (*longest)->close();
    }

private:
    ServerCore& core_;
    std::list<Connection*>::iterator place_;
    std::size_t bytes_ = 0;
};

Connection::Connection(std::shared_ptr<ServerCore> core, Socket socket, TlsContext context)
    : core_(std::move(core)),
      socket_(std::move(socket)),
      stream_(socket_.native_handle(), std::move(context)),
      timer_(core_->io),
      peer_(peer_of(socket_)),
      place_(core_->connections.insert(core_->connections.end(), this)) {
    ++core_->counters.open;
    ++core_->counters.accepted;
}

Connection::~Connection() {
    if (outbox_) outbox_->close();
    core_->connections.erase(place_);
    const std::lock_guard lock{core_->mutex};
    if (--core_->counters.open == 0) core_->has_ended.notify_all();
}

void Connection::wake() {
    timer_.cancel();
}

void Connection::close() {
    is_closing_ = true;
    if (outbox_) outbox_->close();
    wake();
}

awaitable<void> Connection::run() {
    for (;;) {
        const bool has_request = co_await read_request();
        if (!has_request) break;
        const bool goes_on = co_await answer();
        if (!goes_on) break;
    }
    if (refusal_) co_await send_refusal();
    const bool has_answered = !outbox_ && !form_.keeps_alive;
    if (has_answered) co_await linger();
}

awaitable<bool> Connection::read_request() {
    std::optional<Waiting> waiting{std::in_place, *this};
    const bool has_head = co_await read_head(*waiting);
    if (!has_head) co_return false;
    RequestReader reader{core_->setup.most_body_bytes};
    reader.put_head(std::string_view{input_}.substr(0, head_bytes_));
    input_.erase(0, head_bytes_);
    if (reader.refusal()) co_return refuse(*reader.refusal());
    if (!reader.is_done()) {
        const bool has_body = co_await read_body(reader);
        if (!has_body) co_return false;
    }
    waiting.reset();
    start_answer(reader);
    co_return true;
}

awaitable<bool> Connection::read_head(Waiting& waiting) {
    const auto start = Clock::now();
    auto head_end = start;
    for (;;) {
        if (!input_.empty()) {
            if (waiting.note_byte()) head_end = Clock::now() + core_->setup.header_timeout;
            const Head head = look_for_head();
            if (head != Head::partial) co_return head == Head::whole;
        } else {
            std::string{}.swap(input_);  // its memory too
        }
        const Outcome outcome = fill();
        if (outcome == Outcome::moved) continue;
        if (outcome == Outcome::ended || outcome == Outcome::failed) co_return false;
        const auto until = input_.empty() ? end_of_idling(start) : head_end;
        if (Clock::now() >= until) {
            co_return !input_.empty() && refuse({408, "The request's head did not come in time."});
        }
        const bool goes_on = co_await pause(outcome, until);
        if (!goes_on) co_return false;
    }
}

Connection::Head Connection::look_for_head() {
    const std::string_view input{input_};
    const std::size_t end = input.find("\r\n\r\n");
    const bool is_whole = end != std::string_view::npos;
    const auto refusal = is_whole ? check_head(input.substr(0, end + 4), core_->head_limits())
                                  : check_part_of_head(input, core_->head_limits());
    if (refusal) {
        refuse(*refusal);
        return Head::refused;
    }
    if (is_whole) head_bytes_ = end + 4;
    return is_whole ? Head::whole : Head::partial;
}

/// Of a wait for a request's first byte.
Connection::Clock::time_point Connection::end_of_idling(Clock::time_point start) const {
    const auto end = start + (has_served_ ? core_->setup.idle_timeout : core_->setup.header_timeout);
    return core_->drain_start ? std::min(end, std::max(start, *core_->drain_start) + last_chance) : end;
}

awaitable<bool> Connection::read_body(RequestReader& reader) {
    if (input_.empty() && reader.expects_continue() && !reader.is_http_1_0()) {
        std::string go_on = "HTTP/1.1 100 Continue\r\n\r\n";
        const bool is_sent = co_await send(std::move(go_on));
        if (!is_sent) co_return false;
    }
    ComingBody body{*this};
    auto part_end = Clock::now() + core_->setup.body_timeout;
    const auto body_end = Clock::now() + core_->setup.body_total;
    for (;;) {
        if (!input_.empty()) {
            const std::size_t taken = reader.put_body(input_);
            body.add(taken);
            input_.erase(0, taken);
            if (reader.refusal()) co_return refuse(*reader.refusal());
            if (reader.is_done()) co_return true;
        }
        const Outcome outcome = fill();
        if (outcome == Outcome::ended || outcome == Outcome::failed) co_return false;
        if (outcome == Outcome::moved) {
            part_end = Clock::now() + core_->setup.body_timeout;
            continue;
        }
        const auto until = std::min(part_end, body_end);
        if (Clock::now() >= until) co_return refuse({408, "The request's body did not come in time."});
        const bool goes_on = co_await pause(outcome, until);
        if (!goes_on) co_return false;
    }
}

void Connection::start_answer(RequestReader& reader) {
    ServerRequest request = reader.take();
    form_ = {.is_http_1_0 = reader.is_http_1_0(),
             .is_for_head = request.method == "HEAD",
             .keeps_alive = reader.keeps_alive()};
    request.peer = peer_.to_string();
    request.is_loopback = peer_.is_loopback();
    request.arrived = Clock::now();
    has_served_ = true;
    has_left_ = false;
    outbox_ = std::make_shared<Outbox>(std::move(request), [core = core_, connection = weak_from_this()] {
        boost::asio::post(core->io, [connection] {
            if (const auto self = connection.lock()) self->wake();
        });
    });
    try {
        core_->handle(open_exchange(outbox_));
    } catch (const std::exception& error) {
        log::error("A request could not be handed on: {}", error.what());
    }
}

awaitable<bool> Connection::answer() {
    for (bool is_over = false; !is_over;) {
        Outbox::Part part = outbox_->take();
        if (part.is_empty()) {
            if (!listen_for_leaving()) co_return false;
            const bool goes_on = co_await pause(Outcome::moved, Clock::now() + until_woken);
            if (!goes_on) co_return false;
            continue;
        }
        std::string wire = wire_of(part);
        const bool is_sent = co_await send(std::move(wire));
        if (!is_sent || part.is_dropped) co_return false;
        outbox_->note_sent(part.bytes.size());
        is_over = part.is_last;
    }
    outbox_.reset();
    co_return form_.keeps_alive;
}

/// What `part` is on the wire. Puts an answer in the place of one that is missing or cannot be sent.
std::string Connection::wire_of(Outbox::Part& part) {
    if (part.is_dropped && !part.response && !form_.is_stream) {
        part = {.response = refusal_answer({500, "The request was not answered."}), .is_last = true};
    }
    if (part.response && !is_sendable(*part.response)) {
        log::error("An answer with status {} cannot be sent: its status or one of its headers is none",
                   part.response->status);
        outbox_->close();
        part = {.response = refusal_answer({500, "The answer cannot be sent."}), .is_last = true};
    }
    std::string wire;
    if (part.response) {
        form_.is_stream = part.is_stream;
        form_.keeps_alive = form_.keeps_alive && !core_->drain_start && !(form_.is_stream && form_.is_http_1_0);
        wire = response_head(*part.response, form_);
        form_.has_body = !form_.is_for_head && has_body(*part.response);
    }
    if (!form_.has_body) return wire;
    std::string bytes = part.response ? std::move(part.response->body) : std::string{};
    bytes += part.bytes;
    if (!form_.is_chunked()) return wire += bytes;
    if (!bytes.empty()) wire += chunk_of(bytes);
    if (part.is_last) wire += "0\r\n\r\n";
    return wire;
}

/// False when the client is gone for good. One that only sends no more gets its answer, but nobody works for it
/// longer than it wants.
bool Connection::listen_for_leaving() {
    while (!has_left_ && !is_polled_to_read_ && input_.size() < buffer_bytes) {
        const Outcome outcome = fill();
        if (outcome == Outcome::failed) return false;
        if (outcome == Outcome::ended) {
            has_left_ = true;
            outbox_->left().request_stop();
        }
        if (outcome == Outcome::waits_to_read || outcome == Outcome::waits_to_write) {
            request_wake(outcome);
            break;
        }
    }
    return true;
}

awaitable<bool> Connection::send(std::string bytes) {
    auto until = Clock::now() + core_->setup.write_timeout;
    for (std::string_view rest{bytes}; !rest.empty();) {
        const auto [outcome, sent] = stream_.write(rest);
        if (outcome == Outcome::ended || outcome == Outcome::failed) co_return false;
        if (outcome == Outcome::moved) {
            rest.remove_prefix(sent);
            until = Clock::now() + core_->setup.write_timeout;
            continue;
        }
        if (Clock::now() >= until) co_return false;
        const bool goes_on = co_await pause(outcome, until);
        if (!goes_on) co_return false;
    }
    co_return true;
}

bool Connection::refuse(Refusal refusal) {
    refusal_ = std::move(refusal);
    return false;
}

ServerResponse Connection::refusal_answer(const Refusal& refusal) const {
    try {
        ServerResponse response = core_->refuse(refusal);
        if (is_sendable(response)) return response;
        log::error("The answer to a refused request cannot be sent");
    } catch (const std::exception& error) {
        log::error("A refusal could not be worded: {}", error.what());
    }
    return {.status = refusal.status, .body = refusal.detail + "\n"};
}

awaitable<void> Connection::send_refusal() {
    ++core_->counters.refused;
    const ServerResponse response = refusal_answer(*refusal_);
    form_ = {.keeps_alive = false};
    std::string wire = response_head(response, form_) + response.body;
    co_await send(std::move(wire));
}

/// Until the client closes: closing first, with bytes of it unread, would take the answer from it.
awaitable<void> Connection::linger() {
    stream_.finish();
    const auto until = Clock::now() + longest_linger;
    for (bool goes_on = true; goes_on && Clock::now() < until;) {
        const Outcome outcome = fill();
        input_.clear();
        if (outcome == Outcome::ended || outcome == Outcome::failed) break;
        goes_on = co_await pause(Outcome::waits_to_read, until);
    }
}

Connection::Outcome Connection::fill() {
    std::array<char, buffer_bytes> buffer;
    const auto [outcome, bytes] = stream_.read(buffer);
    input_.append(buffer.data(), bytes);
    return outcome;
}

/// Until wake(), or one of the socket's that `waits` names, or `until`. False when the connection is to be closed.
awaitable<bool> Connection::pause(Outcome waits, Clock::time_point until) {
    if (is_closing_) co_return false;
    request_wake(waits);
    timer_.expires_at(until);
    co_await timer_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    co_return !is_closing_;
}

void Connection::request_wake(Outcome waits) {
    const auto poll = [this](tcp::socket::wait_type type, bool Connection::* is_polled) {
        if (std::exchange(this->*is_polled, true)) return;
        socket_.async_wait(type, [connection = weak_from_this(), is_polled](const boost::system::error_code&) {
            const auto self = connection.lock();
            if (!self) return;
            (*self).*is_polled = false;
            self->wake();
        });
    };
    if (waits == Outcome::waits_to_read) poll(tcp::socket::wait_read, &Connection::is_polled_to_read_);
    if (waits == Outcome::waits_to_write) poll(tcp::socket::wait_write, &Connection::is_polled_to_write_);
}

}  // namespace decant::net
