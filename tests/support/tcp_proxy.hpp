#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace decant::test {

/// Stands between a client and a server's Unix socket, on a free port of 127.0.0.1, and does to the bytes what a test
/// asks. Connections end with this object.
class TcpProxy {
public:
    enum class Action {
        pass,
        drop,           ///< both connections end; the other side never gets the bytes
        pass_and_cut,   ///< the other side gets the bytes, then both connections end at once
        answer_unseen,  ///< the other side gets the bytes and answers; the answer is lost with both connections
    };
    /// Called with the bytes of one read, which it may change. From several threads.
    using Filter = std::function<Action(std::string& bytes)>;

    struct Filters {
        Filter from_client;
        Filter from_server;
    };

    TcpProxy(std::filesystem::path server_socket, Filters filters);
    TcpProxy(const TcpProxy&) = delete;
    TcpProxy& operator=(const TcpProxy&) = delete;
    ~TcpProxy();

    int port() const noexcept { return port_; }
    /// The libpq keywords that lead through the proxy.
    std::string conninfo(const std::string& database, const std::string& user = "postgres") const;

private:
    void accept_all();
    void relay(int client) const;

    std::filesystem::path server_socket_;
    Filters filters_;
    int listener_ = -1;
    int port_ = 0;
    std::atomic<bool> is_closing_{false};
    std::vector<std::thread> relays_;
    std::thread acceptor_;
};

/// True when `bytes` hold a simple query of exactly this text.
bool holds_statement(const std::string& bytes, const std::string& statement);

}  // namespace decant::test
