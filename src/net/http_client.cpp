#include "net/http_client.hpp"

#include <curl/curl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <random>
#include <stop_token>
#include <system_error>
#include <variant>

#include "core/interrupt.hpp"
#include "core/utf8.hpp"
#include "net/retry_after.hpp"

namespace decant::net {
namespace {

using Clock = std::chrono::steady_clock;

/// One request under way: what libcurl's callbacks see.
struct Exchange {
    const HttpRequest& request;
    const HttpService& service;
    const HttpLimits& limits;
    HttpResponse response = {};
    std::size_t body_bytes = 0;
    bool is_too_large = false;
    bool is_stopped = false;  ///< by on_bytes
    bool is_idle = false;
    curl_off_t moved = 0;
    Clock::time_point last_move = Clock::now();
};

struct Failure {
    Error error;
    bool may_pass;
};

std::size_t take_header(char* data, std::size_t size, std::size_t count, void* user) {
    auto& exchange = *static_cast<Exchange*>(user);
    std::string_view line{data, size * count};
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r'))
        line.remove_suffix(1);
    if (line.starts_with("HTTP/")) {
        const std::size_t space = line.find(' ');
        exchange.response.headers.clear();  // of an interim answer (100 Continue)
        exchange.response.status = 0;
        if (space != std::string_view::npos) {
            std::from_chars(line.data() + space + 1, line.data() + line.size(), exchange.response.status);
        }
        return size * count;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return size * count;
    std::string name{line.substr(0, colon)};
    std::ranges::transform(name, name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
    const std::size_t start = line.find_first_not_of(" \t", colon + 1);
    exchange.response.headers[std::move(name)] = start == std::string_view::npos ? "" : line.substr(start);
    return size * count;
}

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* user) {
    auto& exchange = *static_cast<Exchange*>(user);
    const std::string_view bytes{data, size * count};
    exchange.body_bytes += bytes.size();
    const bool is_streamed = exchange.request.on_bytes && exchange.response.is_ok();
    if (is_streamed) {
        exchange.is_stopped = !exchange.request.on_bytes(bytes);
        return exchange.is_stopped ? 0 : bytes.size();
    }
    exchange.is_too_large = exchange.body_bytes > exchange.request.most_body_bytes;
    if (exchange.is_too_large) return 0;
    exchange.response.body += bytes;
    return bytes.size();
}

int watch(void* user, curl_off_t, curl_off_t received, curl_off_t, curl_off_t sent) {
    auto& exchange = *static_cast<Exchange*>(user);
    if (interrupted() || exchange.limits.stop.stop_requested()) return 1;
    const auto now = Clock::now();
    if (received + sent != exchange.moved) {
        exchange.moved = received + sent;
        exchange.last_move = now;
    }
    exchange.is_idle = now - exchange.last_move > exchange.service.idle_timeout;
    return exchange.is_idle ? 1 : 0;
}

/// 169.254.0.0/16: cloud metadata among them.
bool is_link_local(in_addr_t address) noexcept {
    return ntohl(address) >> 16U == 0xa9feU;
}

bool is_link_local(const sockaddr& address) noexcept {
    if (address.sa_family == AF_INET) {
        sockaddr_in in{};
        std::memcpy(&in, &address, sizeof in);
        return is_link_local(in.sin_addr.s_addr);
    }
    if (address.sa_family != AF_INET6) return false;
    sockaddr_in6 in{};
    std::memcpy(&in, &address, sizeof in);
    if (IN6_IS_ADDR_V4MAPPED(&in.sin6_addr)) {
        in_addr_t mapped = 0;  // the last four bytes; Linux connects to them by IPv4
        std::memcpy(&mapped, &in.sin6_addr.s6_addr[12], sizeof mapped);
        return is_link_local(mapped);
    }
    return IN6_IS_ADDR_LINKLOCAL(&in.sin6_addr);
}

curl_socket_t open_socket(void* user, curlsocktype, curl_sockaddr* address) {
    const auto& service = *static_cast<const HttpService*>(user);
    const bool is_spelled_out = service.url.host.starts_with("169.254.") || service.url.host.starts_with("[fe80");
    if (is_link_local(address->addr) && !is_spelled_out) return CURL_SOCKET_BAD;
    return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

bool passes_by_itself(int status) noexcept {
    return status == 408 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}

std::string address_of(const HttpService& service) {
    const net::Url& url = service.url;
    return fmt::format("{} at {}", service.name, printable(service.has_secret_path ? url.origin() : url.text()));
}

Error interrupted_error(const HttpService& service) {
    return {ErrorCode::cancelled, fmt::format("Interrupted while {} was asked", address_of(service)), "Run it again."};
}

/// What became of an exchange that libcurl did not end well.
Failure failure_of(CURLcode code, const Exchange& exchange, const std::string& reason, bool was_reached) {
    const HttpService& service = exchange.service;
    const std::string who = address_of(service);
    switch (code) {
        case CURLE_WRITE_ERROR:
            return {{ErrorCode::too_large,
                     fmt::format("{} answers with more than {} bytes", who, exchange.request.most_body_bytes),
                     "Ask for less at once."},
                    false};
        case CURLE_ABORTED_BY_CALLBACK:
        case CURLE_OPERATION_TIMEDOUT:
            if (interrupted() || exchange.limits.stop.stop_requested()) return {interrupted_error(service), false};
            return {{ErrorCode::timed_out,
                     exchange.is_idle ? fmt::format("{} was silent for {} s", who, service.idle_timeout.count() / 1000)
                                      : fmt::format("{} was too slow: {}", who, reason),
                     service.unavailable_remedy},
                    true};
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CACERT_BADFILE:
            return {{ErrorCode::config_invalid, fmt::format("The certificate of {} is not trusted: {}", who, reason),
                     service.ca_setting.empty()
                         ? "Let the system trust the authority that signed it."
                         : fmt::format("Name the file of the authority that signed it in {}.", service.ca_setting)},
                    false};
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_RESOLVE_PROXY:
        case CURLE_COULDNT_CONNECT:
        case CURLE_SSL_CONNECT_ERROR:
            return {
                {service.unavailable, fmt::format("{} cannot be reached: {}", who, reason), service.unavailable_remedy},
                was_reached};
        default:
            return {{service.unavailable, fmt::format("{} broke the connection: {}", who, reason),
                     service.unavailable_remedy},
                    true};
    }
}

std::string ca_file_of(const HttpService& service) {
    if (!service.ca_file.empty()) return service.ca_file;
    const char* bundle = std::getenv("CURL_CA_BUNDLE");  // curl's own program honours it, its library does not
    return bundle != nullptr ? bundle : "";
}

}  // namespace

struct HttpClient::State {
    explicit State(HttpService called)
        : service(std::move(called)),
          multi(curl_multi_init(), curl_multi_cleanup),
          easy(curl_easy_init(), curl_easy_cleanup) {
        if (!multi || !easy) throw std::bad_alloc{};
        set_headers({});
        set_up();
    }

    /// Those of every request, and `more`.
    void set_headers(const std::vector<std::string>& more) {
        headers.reset();
        for (const std::string& header : service.headers)
            add_header(header);
        const auto is_type = [](const std::string& header) { return header.starts_with("Content-Type:"); };
        if (std::ranges::none_of(more, is_type)) add_header("Content-Type: application/json");
        add_header("Expect:");  // libcurl would wait for 100 Continue before a large body
        for (const std::string& header : more)
            add_header(header);
    }

    void add_header(const std::string& header) {
        const bool is_sendable = std::ranges::all_of(header, [](char c) { return c >= ' ' && c <= '~'; });
        if (!is_sendable) {
            throw Error{ErrorCode::config_invalid,
                        fmt::format("The value for the header {} holds a character that no header can carry",
                                    header.substr(0, header.find(':'))),
                        "Set it anew, without line ends."};
        }
        curl_slist* longer = curl_slist_append(headers.get(), header.c_str());
        if (longer == nullptr) throw std::bad_alloc{};
        static_cast<void>(headers.release());  // `longer` has the old list in it
        headers.reset(longer);
    }

    void set_up() {
        CURL* const handle = easy.get();
        curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(handle, CURLOPT_QUICK_EXIT, 1L);  // a name server that is silent holds up no end
        curl_easy_setopt(handle, CURLOPT_BUFFERSIZE, 256L * 1024L);
        curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
        curl_easy_setopt(handle, CURLOPT_ACCEPT_ENCODING, "gzip");
        curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(service.connect_timeout.count()));
        curl_easy_setopt(handle, CURLOPT_USERAGENT, "decant");
        curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, reason.data());
        curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, take_header);
        curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_body);
        curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, watch);
        curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, open_socket);
        curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, &service);
        if (service.url.is_loopback()) curl_easy_setopt(handle, CURLOPT_PROXY, "");
        if (const std::string file = ca_file_of(service); !file.empty()) {
            curl_easy_setopt(handle, CURLOPT_CAINFO, file.c_str());
        }
        if (!service.url.user.empty() || !service.url.password.empty()) {
            curl_easy_setopt(handle, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
            curl_easy_setopt(handle, CURLOPT_USERNAME, service.url.user.c_str());
            curl_easy_setopt(handle, CURLOPT_PASSWORD, service.url.password.c_str());
        }
    }

    std::variant<HttpResponse, Failure> exchange(const HttpRequest& request) {
        if (limits.stop.stop_requested()) return Failure{interrupted_error(service), false};
        const auto time_left = std::chrono::ceil<std::chrono::milliseconds>(limits.deadline - Clock::now());
        if (time_left.count() <= 0) return Failure{too_late(), false};
        Exchange now{.request = request, .service = service, .limits = limits};
        CURL* const handle = easy.get();
        const std::string url = service.url.text() + request.path;
        curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
        curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS,
                         static_cast<long>(std::min(service.total_timeout, time_left).count()));
        set_headers(request.headers);
        curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.get());
        curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request.method.empty() ? nullptr : request.method.c_str());
        if (request.body) {
            curl_easy_setopt(handle, CURLOPT_POST, 1L);
            curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body->size()));
            curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request.body->data());
        } else {
            curl_easy_setopt(handle, CURLOPT_HTTPGET, 1L);
        }
        curl_easy_setopt(handle, CURLOPT_HEADERDATA, &now);
        curl_easy_setopt(handle, CURLOPT_WRITEDATA, &now);
        curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &now);
        reason.front() = '\0';
        const CURLcode code = perform();
        if (code == CURLE_OK || now.is_stopped) {
            was_reached = true;
            return judge(request, std::move(now.response));
        }
        Failure failure = failure_of(code, now, why(code), was_reached);
        failure.may_pass = failure.may_pass && !(request.on_bytes && now.body_bytes > 0);
        return failure;
    }

    /// As curl_easy_perform, but woken when a stop is asked for; `watch` then ends it.
    CURLcode perform() {
        if (curl_multi_add_handle(multi.get(), easy.get()) != CURLM_OK) return CURLE_FAILED_INIT;
        const std::stop_callback wake{limits.stop, [this] { curl_multi_wakeup(multi.get()); }};
        CURLcode code = CURLE_FAILED_INIT;
        for (int running = 1; running > 0;) {
            if (curl_multi_perform(multi.get(), &running) != CURLM_OK) break;
            int left = 0;
            while (const CURLMsg* message = curl_multi_info_read(multi.get(), &left))
                code = message->data.result;
            if (running > 0 && curl_multi_poll(multi.get(), nullptr, 0, 1'000, nullptr) != CURLM_OK) break;
        }
        curl_multi_remove_handle(multi.get(), easy.get());
        return code;
    }

    Error too_late() const {
        return {ErrorCode::timed_out, fmt::format("{} did not answer in time", address_of(service)),
                service.unavailable_remedy};
    }

    std::string why(CURLcode code) const {
        long error = 0;
        if (code == CURLE_COULDNT_CONNECT) curl_easy_getinfo(easy.get(), CURLINFO_OS_ERRNO, &error);
        if (error != 0) return std::generic_category().message(static_cast<int>(error));
        return printable(reason.front() != '\0' ? reason.data() : curl_easy_strerror(code));
    }

    std::variant<HttpResponse, Failure> judge(const HttpRequest& request, HttpResponse&& response) const {
        if (!response.is_ok() || !request.is_whole || request.is_whole(response.body)) return std::move(response);
        return Failure{
            {service.unavailable, fmt::format("{} answers with a body that is cut or no JSON", address_of(service)),
             service.unavailable_remedy},
            true};
    }

    /// Half of it by chance, so that clients that failed together do not come back together.
    std::chrono::milliseconds pause_before(int next_try) {
        const auto longest = service.first_pause * (1 << std::min(next_try - 2, 6));
        return std::chrono::milliseconds{
            std::uniform_int_distribution<std::int64_t>{longest.count() / 2, longest.count()}(random)};
    }

    HttpService service;
    HttpLimits limits;
    std::unique_ptr<CURLM, CURLMcode (*)(CURLM*)> multi;  ///< keeps the connection; outlives `easy`
    std::unique_ptr<CURL, void (*)(CURL*)> easy;
    std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers{nullptr, curl_slist_free_all};
    std::array<char, CURL_ERROR_SIZE> reason{};
    bool was_reached = false;
    std::mt19937 random{std::random_device{}()};
};

namespace {

/// What Retry-After asks for, up to a minute.
std::optional<std::chrono::milliseconds> asked_pause(const HttpResponse& response) {
    constexpr std::chrono::milliseconds longest = std::chrono::minutes{1};
    const auto found = response.headers.find("retry-after");
    const auto asked = found == response.headers.end() ? std::nullopt : retry_after(found->second);
    return asked ? std::optional{std::min(*asked, longest)} : std::nullopt;
}

}  // namespace

HttpClient::HttpClient(HttpService service) {
    static const CURLcode set_up_once = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (set_up_once != CURLE_OK) throw std::bad_alloc{};
    state_ = std::make_unique<State>(std::move(service));
}

HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient::~HttpClient() = default;

void HttpClient::limit(HttpLimits limits) {
    state_->limits = std::move(limits);
}

const HttpService& HttpClient::service() const noexcept {
    return state_->service;
}

HttpResponse HttpClient::send(const HttpRequest& request) {
    for (int next_try = 2;; ++next_try) {
        auto outcome = state_->exchange(request);
        const bool is_last = next_try > std::min(request.tries, state_->limits.tries);
        auto pause = state_->pause_before(next_try);
        if (auto* response = std::get_if<HttpResponse>(&outcome)) {
            const bool is_over = is_last || !passes_by_itself(response->status);
            if (is_over || (request.is_final && request.is_final(*response))) return std::move(*response);
            pause = asked_pause(*response).value_or(pause);
        } else if (const Failure& failure = std::get<Failure>(outcome); is_last || !failure.may_pass) {
            throw failure.error;
        }
        if (Clock::now() + pause >= state_->limits.deadline) throw state_->too_late();
        if (!sleep_unless_interrupted(pause, state_->limits.stop)) throw interrupted_error(state_->service);
    }
}

}  // namespace decant::net
