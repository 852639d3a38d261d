#include "net/http_server.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/filter.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <future>
#include <thread>
#include <utility>

#include "core/error.hpp"
#include "core/log.hpp"
#include "net/detail/connection.hpp"
#include "net/detail/server_core.hpp"

namespace decant::net {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;

constexpr rlim_t files_of_others = 64;  // logs, database, models
constexpr int at_once = 64;             // connections accepted before others get their turn
constexpr auto pause_without_room = 5ms;

std::size_t most_connections(const ServerSetup& setup) {
    if (setup.most_connections > 0) return setup.most_connections;
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return std::max(limit.rlim_cur, 2 * files_of_others) - files_of_others;
}

/// The address of `setup`, by preference IPv4: "localhost" is both.
tcp::endpoint resolve(asio::io_context& io, const ServerSetup& setup) {
    boost::system::error_code code;
    const auto found = tcp::resolver{io}.resolve(setup.host, std::to_string(setup.port),
                                                 tcp::resolver::passive | tcp::resolver::numeric_service, code);
    if (code || found.empty()) {
        throw Error{ErrorCode::config_invalid,
                    fmt::format("The address {} to listen on is none: {}", setup.host, code.message()),
                    "Give an address of this machine, such as 127.0.0.1."};
    }
    const auto first =
        std::ranges::find_if(found, [](const auto& entry) { return entry.endpoint().protocol() == tcp::v4(); });
    return first == found.end() ? found.begin()->endpoint() : first->endpoint();
}

tcp::acceptor listen_on(asio::io_context& io, const ServerSetup& setup) {
    const tcp::endpoint endpoint = resolve(io, setup);
    tcp::acceptor acceptor{io, endpoint.protocol()};
    ::fcntl(acceptor.native_handle(), F_SETFD, FD_CLOEXEC);
    boost::system::error_code code;
    acceptor.set_option(tcp::acceptor::reuse_address{true});
    acceptor.non_blocking(true);
    acceptor.bind(endpoint, code);
    if (!code) acceptor.listen(SOMAXCONN, code);
    if (code) {
        throw Error{ErrorCode::config_invalid,
                    fmt::format("Cannot listen on {} port {}: {}", setup.host, setup.port, code.message()),
                    "Give another port, or end what listens there."};
    }
    return acceptor;
}

/// From now on who connects gets no answer. One who came between the last accept and the close would be connected and
/// then cut; in this way it asks again, as TCP does after a second, and finds nobody or whoever listens by then.
void ignore_newcomers(tcp::acceptor& acceptor) {
    sock_filter drop_all{.code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = 0};
    const sock_fprog program{.len = 1, .filter = &drop_all};
    ::setsockopt(acceptor.native_handle(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

/// A file descriptor to give up when no other is left, so that a client can be turned away.
class SpareFile {
public:
    SpareFile() { open(); }
    SpareFile(const SpareFile&) = delete;
    SpareFile& operator=(const SpareFile&) = delete;
    ~SpareFile() { close(); }

    void open() { file_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC); }
    void close() {
        if (file_ >= 0) ::close(std::exchange(file_, -1));
    }

private:
    int file_ = -1;
};

void log_end(const std::exception_ptr& failure) {
    if (!failure) return;
    try {
        std::rethrow_exception(failure);
    } catch (const std::exception& error) {
        log::error("A connection ended by a fault of the server: {}", error.what());
    }
}

asio::awaitable<void> run(std::shared_ptr<Connection> connection) {
    co_await connection->run();
}

}  // namespace

struct HttpServer::State {
    enum class Accepted { one, none, no_room };

    State(ServerSetup setup, Handle handle, Refuse refuse)
        : core(std::make_shared<ServerCore>(std::move(setup), std::move(handle), std::move(refuse))),
          acceptor(listen_on(core->io, core->setup)),
          room(core->io),
          work(core->io.get_executor()),
          most(most_connections(core->setup)),
          port(acceptor.local_endpoint().port()) {}

    void run_io() {
        sigset_t broken_pipe;  // OpenSSL writes without MSG_NOSIGNAL
        sigemptyset(&broken_pipe);
        sigaddset(&broken_pipe, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
        core->io.run();
    }

    asio::awaitable<void> accept_all() {
        while (acceptor.is_open()) {
            co_await acceptor.async_wait(tcp::acceptor::wait_read, asio::as_tuple(asio::use_awaitable));
            Accepted last = Accepted::one;
            for (int count = 0; acceptor.is_open() && count < at_once && last == Accepted::one; ++count)
                last = accept_one();
            if (last != Accepted::no_room) continue;
            room.expires_after(pause_without_room);
            co_await room.async_wait(asio::as_tuple(asio::use_awaitable));
        }
    }

    Accepted accept_one() {
        // First, because room is made for somebody only, and accept4() fails without files even where nobody is.
        pollfd ready{.fd = acceptor.native_handle(), .events = POLLIN, .revents = 0};
        if (::poll(&ready, 1, 0) <= 0) return Accepted::none;
        const bool is_full = core->counters.open >= most && !core->drain_start;
        if (is_full && !close_longest_waiting()) return Accepted::no_room;
        tcp::endpoint peer;
        auto size = static_cast<socklen_t>(peer.capacity());
        const int file = ::accept4(acceptor.native_handle(), peer.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (file >= 0) {
            peer.resize(size);
            open(file, peer.protocol());
            return Accepted::one;
        }
        switch (errno) {
            case EAGAIN:
                return Accepted::none;
            case EMFILE:
            case ENFILE:
                return close_longest_waiting() ? Accepted::no_room : turn_away();
            case ECONNABORTED:
            case EINTR:
            case EPROTO:
                return Accepted::one;  // one that is gone already
            default:
                return Accepted::no_room;
        }
    }

    void open(int file, const tcp& protocol) {
        tcp::socket socket{core->io};
        boost::system::error_code code;
        socket.assign(protocol, file, code);
        if (code) {
            ::close(file);
            return;
        }
        socket.set_option(tcp::no_delay{true}, code);
        try {
            auto connection = std::make_shared<Connection>(core, std::move(socket), current_tls());
            asio::co_spawn(core->io, run(std::move(connection)), log_end);
        } catch (const std::exception& error) {
            log::error("A connection was closed at once: {}", error.what());
        }
    }

    TlsContext current_tls() {
        const std::lock_guard lock{mutex};
        return tls;
    }

    void load_certificate() {
        if (core->setup.certificate.empty() && core->setup.private_key.empty()) return;
        TlsContext loaded = make_tls_context(core->setup.certificate, core->setup.private_key);
        const std::lock_guard lock{mutex};
        tls = std::move(loaded);
    }

    bool close_longest_waiting() {
        const auto longest =
            std::ranges::find_if(core->waiting, [](const Connection* one) { return !one->is_closing(); });
        if (longest == core->waiting.end()) return false;
        ++core->counters.closed_for_room;
        (*longest)->close();
        return true;
    }

    Accepted turn_away() {
        spare.close();
        const int file = ::accept4(acceptor.native_handle(), nullptr, nullptr, SOCK_CLOEXEC);
        if (file >= 0) ::close(file);
        spare.open();
        ++core->counters.closed_for_room;
        return Accepted::no_room;
    }

    void start_drain() {
        core->drain_start = ServerCore::Clock::now();
        ignore_newcomers(acceptor);
        while (accept_one() == Accepted::one) {
        }
        acceptor.close();
        for (Connection* connection : core->connections)
            connection->wake();
    }

    void end() {
        if (acceptor.is_open()) acceptor.close();
        room.cancel();
        for (Connection* connection : core->connections)
            connection->close();
        work.reset();
    }

    const std::shared_ptr<ServerCore> core;
    tcp::acceptor acceptor;
    asio::steady_timer room;
    asio::executor_work_guard<asio::io_context::executor_type> work;
    const std::size_t most;
    const std::uint16_t port;
    SpareFile spare;
    std::mutex mutex;  ///< of tls
    TlsContext tls;
    std::mutex ending;
    bool is_draining = false;
    std::thread thread;
};

HttpServer::HttpServer(ServerSetup setup, Handle handle, Refuse refuse)
    : state_(std::make_unique<State>(std::move(setup), std::move(handle), std::move(refuse))) {
    state_->load_certificate();
    asio::co_spawn(state_->core->io, state_->accept_all(), log_end);
    state_->thread = std::thread{[state = state_.get()] { state->run_io(); }};
}

HttpServer::~HttpServer() {
    stop();
}

std::uint16_t HttpServer::port() const noexcept {
    return state_->port;
}

ServerCounts HttpServer::counts() const noexcept {
    const ServerCore::Counters& counters = state_->core->counters;
    return {.open = counters.open,
            .idle = counters.idle,
            .accepted = counters.accepted,
            .refused = counters.refused,
            .closed_for_room = counters.closed_for_room};
}

void HttpServer::reload_certificate() {
    state_->load_certificate();
}

void HttpServer::drain() {
    const std::lock_guard lock{state_->ending};
    if (!state_->thread.joinable() || std::exchange(state_->is_draining, true)) return;
    std::promise<void> begun;
    asio::post(state_->core->io, [&] {
        state_->start_drain();
        begun.set_value();
    });
    begun.get_future().wait();
}

bool HttpServer::wait_drained(std::chrono::milliseconds span) {
    ServerCore& core = *state_->core;
    std::unique_lock lock{core.mutex};
    return core.has_ended.wait_for(lock, span, [&] { return core.counters.open == 0; });
}

void HttpServer::stop() {
    const std::lock_guard lock{state_->ending};
    if (!state_->thread.joinable()) return;
    asio::post(state_->core->io, [state = state_.get()] { state->end(); });
    state_->thread.join();
}

std::string_view header(const Headers& headers, std::string_view name) noexcept {
    const auto is_named = [&](const auto& header) { return header.first == name; };
    const auto found = std::ranges::find_if(headers, is_named);
    if (found == headers.end() || std::find_if(std::next(found), headers.end(), is_named) != headers.end()) return {};
    return found->second;
}

}  // namespace decant::net
