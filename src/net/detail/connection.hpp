#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <list>
#include <memory>
#include <optional>
#include <string>

#include "net/detail/byte_stream.hpp"
#include "net/detail/outbox.hpp"
#include "net/detail/response_head.hpp"
#include "net/detail/server_core.hpp"
#include "net/http_head.hpp"

namespace decant::net {

class RequestReader;

/// One client: reads its requests one after the other, has each handled and sends the answer. There is one place where
/// it waits, pause(), and everything that happens wakes it there. While it waits for a request it holds no buffer. The
/// I/O thread's.
class Connection : public std::enable_shared_from_this<Connection> {
public:
    using Socket = boost::asio::ip::tcp::socket;

    Connection(std::shared_ptr<ServerCore> core, Socket socket, TlsContext context);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection();

    /// Ends with the connection. Who calls it holds this object meanwhile.
    boost::asio::awaitable<void> run();
    void wake();
    /// Ends run() soon, whatever it does.
    void close();
    bool is_closing() const noexcept { return is_closing_; }

private:
    using Clock = ServerCore::Clock;
    using Outcome = ByteStream::Outcome;
    class Waiting;
    class ComingBody;
    enum class Head { partial, whole, refused };

    // False: nothing more is read or sent, but for the refusal where there is one.
    boost::asio::awaitable<bool> read_request();
    boost::asio::awaitable<bool> read_head(Waiting& waiting);
    boost::asio::awaitable<bool> read_body(RequestReader& reader);
    boost::asio::awaitable<bool> answer();
    boost::asio::awaitable<bool> send(std::string bytes);
    boost::asio::awaitable<void> send_refusal();
    boost::asio::awaitable<void> linger();
    boost::asio::awaitable<bool> pause(Outcome waits, Clock::time_point until);

    Head look_for_head();
    Clock::time_point end_of_idling(Clock::time_point start) const;
    bool refuse(Refusal refusal);
    ServerResponse refusal_answer(const Refusal& refusal) const;
    void start_answer(RequestReader& reader);
    std::string wire_of(Outbox::Part& part);
    bool listen_for_leaving();
    Outcome fill();
    void request_wake(Outcome waits);

    const std::shared_ptr<ServerCore> core_;
    Socket socket_;
    ByteStream stream_;
    boost::asio::steady_timer timer_;
    boost::asio::ip::address peer_;
    std::list<Connection*>::iterator place_;
    std::string input_;           ///< what came and is not used up
    std::size_t head_bytes_ = 0;  ///< of input_, once its head is whole
    AnswerForm form_;
    std::shared_ptr<Outbox> outbox_;  ///< of the request that is being answered
    std::optional<Refusal> refusal_;
    bool has_served_ = false;
    bool has_left_ = false;
    bool is_closing_ = false;
    bool is_polled_to_read_ = false;
    bool is_polled_to_write_ = false;
};

}  // namespace decant::net
