#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace decant::test {

struct StandInRequest {
    std::string method;
    std::string target;                          ///< path and query as sent
    std::map<std::string, std::string> headers;  ///< names in lower case
    std::string body;
};

struct StandInAnswer {
    int status = 200;
    std::string body = {};
    std::vector<std::string> headers = {};      ///< "Name: value"
    std::vector<std::string> chunks = {};       ///< in the place of `body`: sent chunked, one after the other
    std::chrono::milliseconds chunk_pause{0};   ///< before each of them
    std::optional<std::size_t> cut_after = {};  ///< the connection ends after so many bytes of the answer's body
    /// Nothing is sent, with cut_after or chunks nothing after them; the connection stays until the client ends it.
    bool is_withheld = false;
};

/// An HTTP/1.1 server on a free port of 127.0.0.1 that answers as a test's script says: a stand-in for services that
/// decant calls. Connections are kept; each has a thread. Ends with this object.
class HttpStandIn {
public:
    /// From several threads.
    using Script = std::function<StandInAnswer(const StandInRequest& request)>;

    /// With TLS where a certificate is given: a folder with cert.pem and key.pem. On `port`, which another one had
    /// before, where that is not 0.
    explicit HttpStandIn(Script script, const std::filesystem::path& certificate = {}, int port = 0);
    HttpStandIn(const HttpStandIn&) = delete;
    HttpStandIn& operator=(const HttpStandIn&) = delete;
    ~HttpStandIn();

    std::string url() const;
    int port() const noexcept { return port_; }
    /// All so far, in the order of their arrival.
    std::vector<StandInRequest> requests() const;
    std::size_t connections() const noexcept { return connections_; }

private:
    struct Tls;
    class Peer;
    void accept_all();
    void serve(int fd);
    void serve_requests(Peer& peer);
    bool answer(Peer& peer, const StandInAnswer& answer) const;

    Script script_;
    std::unique_ptr<Tls> tls_;
    int listener_ = -1;
    int port_ = 0;
    std::atomic<bool> is_closing_{false};
    std::atomic<std::size_t> connections_{0};
    mutable std::mutex mutex_;
    std::vector<StandInRequest> requests_;
    std::vector<std::thread> threads_;
    std::thread acceptor_;
};

/// Makes cert.pem and key.pem in `folder`: self-signed, for 127.0.0.1 and localhost.
void make_certificate(const std::filesystem::path& folder);

}  // namespace decant::test
