#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "net/url.hpp"

/// net/: HTTP as a client, over libcurl, and as a server (http_server.hpp), over Asio; only this folder includes their
/// headers. As a client certificates are always checked, redirects never followed (they are how a credential gets to
/// another host), link-local addresses only reached when the URL spells them out.
namespace decant::net {

/// One service that is called, and what its failures are called.
struct HttpService {
    std::string name;  ///< opens messages: "The Chroma server"
    Url url;           ///< what request paths are appended to; its user and password are sent as basic authentication
    bool has_secret_path = false;                           ///< messages show the URL without its path
    std::vector<std::string> headers = {};                  ///< "Name: value", sent with every request, never shown
    std::string ca_file = {};                               ///< PEM; empty: CURL_CA_BUNDLE, else the system's
    std::string ca_setting = {};                            ///< names `ca_file` in a remedy
    ErrorCode unavailable = ErrorCode::source_unavailable;  ///< the code when it cannot be reached
    std::string unavailable_remedy = {};
    std::chrono::milliseconds connect_timeout{5'000};
    std::chrono::milliseconds idle_timeout{60'000};    ///< without a byte in either direction
    std::chrono::milliseconds total_timeout{600'000};  ///< of one exchange
    std::chrono::milliseconds first_pause{200};        ///< before the second try; then twice as long each time
};

struct HttpResponse {
    int status = 0;
    std::string body;
    std::map<std::string, std::string> headers;  ///< names in lower case

    bool is_ok() const noexcept { return status >= 200 && status < 300; }
};

struct HttpRequest {
    std::string path;                      ///< with its query, encoded
    std::optional<std::string> body = {};  ///< JSON to POST; none: GET
    std::string method = {};               ///< in the place of POST or GET
    /// "Name: value", with this request alone. Content-Type goes before that of JSON.
    std::vector<std::string> headers = {};
    int tries = 5;  ///< of a request that may be repeated; 1 where the service must not get it twice
    std::size_t most_body_bytes = 64UL << 20U;  ///< of the decoded answer

    /// Asked of each 2xx body, which it may take; false: it was cut or garbled on its way, and counts as a failed try.
    std::function<bool(std::string& body)> is_whole = {};

    /// Asked of each answer whose status has it tried again; true: it would only come again.
    std::function<bool(const HttpResponse& response)> is_final = {};

    /// Gets a 2xx body as it comes, in the place of HttpResponse::body; false ends the exchange. Once it got bytes the
    /// request is not repeated.
    std::function<bool(std::string_view bytes)> on_bytes = {};
};

/// What ends a client's requests before their own time, as where a person waits for an answer.
struct HttpLimits {
    std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
    std::stop_token stop = {};  ///< ends a request at once, also while the service is silent
    int tries = 5;              ///< at most, of each request
};

/// One connection that is kept between requests. One thread at a time.
class HttpClient {
public:
    /// Throws Error{config_invalid} for a header that cannot be sent.
    explicit HttpClient(HttpService service);
    HttpClient(HttpClient&&) noexcept;
    ~HttpClient();

    /// The answer, whatever its status. Tries again, after growing pauses or those that Retry-After asks for: 408, 429
    /// and 5xx, timeouts, and connections that break; one that was never made only once this client had an answer.
    /// Throws Error: HttpService::unavailable, timed_out, too_large, config_invalid (certificates), cancelled (a
    /// signal was noted, see core/interrupt).
    HttpResponse send(const HttpRequest& request);

    /// For all requests from now on. Past the deadline they throw Error{timed_out}, once stopped Error{cancelled}.
    void limit(HttpLimits limits);

    const HttpService& service() const noexcept;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace decant::net
