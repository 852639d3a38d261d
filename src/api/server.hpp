#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/settings.hpp"
#include "embed/embedder.hpp"
#include "net/http_server.hpp"

namespace decant::api {

struct ServerPurpose {
    std::string version;  ///< of the program
    bool runs_worker = true;
    /// False: answers what answer() is given and nobody else, keeps nothing in order, and knows no limits of rate.
    bool listens = true;
    /// In the place of what the settings name; for tests.
    std::function<std::unique_ptr<embed::Embedder>()> open_embedder = {};
};

/// The HTTP API with all it needs, from the settings. PostgreSQL and the model may be away when it starts.
class Server {
public:
    /// Listens at once. Throws Error{config_invalid} for an address that cannot be had, certificates that cannot be
    /// read, and one that is no loopback while there is neither a key nor a JWT secret.
    Server(const Settings& settings, ServerPurpose purpose);
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server();

    /// A request that came by another way than HTTP.
    void answer(std::shared_ptr<net::Exchange> exchange);

    /// "http://127.0.0.1:8000"; empty where it does not listen.
    const std::string& url() const noexcept;

    /// What lets commands of the same user in, whatever keys there are. New in every process.
    const std::string& local_token() const noexcept;

    /// Reads the settings again and takes what may change while it runs: strategy, thresholds, limits, log level, and
    /// the certificate's files. What changed, a line each. Throws Error{config_invalid} and changes nothing.
    std::vector<std::string> reload();

    /// Not ready from now on, no new connections; requests under way are answered, streams told, at most for `span`.
    /// False when some had to be cut.
    bool drain(std::chrono::milliseconds span);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace decant::api
