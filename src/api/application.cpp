#include "api/application.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <random>

#include "api/gzip.hpp"
#include "api/handling.hpp"
#include "api/problem.hpp"
#include "api/worker.hpp"
#include "core/log.hpp"
#include "core/strict_json.hpp"
#include "core/utf8.hpp"

namespace decant::api {
namespace {

constexpr std::size_t least_gzip_bytes = 8 * 1024;

/// The caller's own where it is short and plain, so that it may be logged.
std::string request_id_of(const net::ServerRequest& request) {
    const std::string_view given = net::header(request.headers, "x-request-id");
    const auto is_plain = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' ||
               c == '.';
    };
    if (!given.empty() && given.size() <= 128 && std::ranges::all_of(given, is_plain)) return std::string{given};
    // W3C traceparent: version, 32 digits of the trace, 16 of the caller's span, flags.
    const std::string_view trace = net::header(request.headers, "traceparent");
    if (trace.size() >= 55 && trace[2] == '-' && trace[35] == '-' && std::ranges::all_of(trace, is_plain))
        return std::string{trace.substr(3, 49)};  // with the span: two calls of one trace are two
    thread_local std::mt19937_64 random{std::random_device{}()};
    return fmt::format("{:016x}{:016x}", random(), random());
}

void add_limit_headers(const RateLimiter::Decision& decision, net::ServerResponse& response) {
    if (decision.limit == 0) return;
    response.headers.emplace_back("X-RateLimit-Limit", std::to_string(decision.limit));
    response.headers.emplace_back("X-RateLimit-Remaining", std::to_string(decision.remaining));
    response.headers.emplace_back("X-RateLimit-Reset", std::to_string(decision.reset_epoch));
    if (!decision.allowed) response.headers.emplace_back("Retry-After", std::to_string(decision.retry_after));
}

json::object body_of(const Route& route, const net::ServerRequest& request) {
    if (route.reads_body_itself) return {};
    if (route.body == nullptr) {
        if (request.body.empty()) return {};
        throw Error{ErrorCode::request_malformed, "This call takes no body", "Leave it out."};
    }
    if (request.body.empty() && route.body_may_be_absent) return checked(*route.body, {});
    require_json(request);
    json::value body = parse_strict_json(request.body);
    if (!body.is_object())
        throw Error{ErrorCode::request_malformed, "The body is no JSON object", "See /openapi.json for its members."};
    return checked(*route.body, std::move(body.as_object()));
}

}  // namespace

/// A request that may be answered, and all that its answer needs.
struct Application::Admitted {
    std::shared_ptr<net::Exchange> exchange;
    std::string request_id;
    const Route* route;
    std::vector<std::string> path;
    Principal caller;
    RateLimiter::Decision limit;

    const Application& application;

    void reply(net::ServerResponse response) const {
        application.finish(exchange->request(), route, request_id, response);
        add_limit_headers(limit, response);
        exchange->reply(std::move(response));
    }
    void refuse(const Error& error) const { reply(problem_of(error, exchange->request().target, request_id)); }
};

Application::Application(RouteTable routes, Services& services, Access& access, RateLimiter& limiter, LaneSizes sizes)
    : routes_(std::move(routes)),
      services_(services),
      access_(access),
      limiter_(limiter),
      search_(sizes.search_threads, sizes.search_waiting, [this] { return std::make_unique<Worker>(services_); }),
      chat_(sizes.chat_threads, sizes.chat_waiting, [this] { return std::make_unique<Worker>(services_); }),
      work_(sizes.work_threads, sizes.work_waiting, [this] { return std::make_unique<Worker>(services_); }),
      embedding_(sizes.embedding_threads, sizes.embedding_waiting,
                 [this] { return std::make_unique<Worker>(services_); }) {}

Application::~Application() = default;

Lane* Application::lane_of(LaneKind kind) {
    switch (kind) {
        case LaneKind::search:
            return &search_;
        case LaneKind::chat:
            return &chat_;
        case LaneKind::work:
            return &work_;
        case LaneKind::embedding:
            return &embedding_;
        case LaneKind::immediate:
            break;
    }
    return nullptr;
}

void Application::handle(std::shared_ptr<net::Exchange> exchange) {
    const net::ServerRequest& request = exchange->request();
    const std::string request_id = request_id_of(request);
    const RouteTable::Found found = routes_.find(request.method, request.target);
    const auto refuse = [&](const Error& error) {
        net::ServerResponse response = problem_of(error, request.target, request_id);
        finish(request, found.route, request_id, response);
        return response;
    };
    try {
        dispatch(exchange, request_id, found);
    } catch (const AccessDenied& error) {
        log::warning("{} {}: {}: {}", request.method, printable(path_of(request.target)), access_.address_of(request),
                     error.happened());
        net::ServerResponse response = refuse(error);
        if (!error.challenge().empty()) response.headers.emplace_back("WWW-Authenticate", error.challenge());
        exchange->reply(std::move(response));
    } catch (const RateLimited& error) {
        net::ServerResponse response = refuse(error);
        add_limit_headers(error.decision(), response);
        exchange->reply(std::move(response));
    } catch (const Error& error) {
        exchange->reply(refuse(error));
    }
}

std::vector<LaneState> Application::lanes() const {
    std::vector<LaneState> states;
    for (const auto& [kind, lane] : {std::pair{LaneKind::search, &search_},
                                     {LaneKind::chat, &chat_},
                                     {LaneKind::work, &work_},
                                     {LaneKind::embedding, &embedding_}})
        states.push_back(
            {.name = std::string{lane_names[kind]}, .waiting = lane->waiting(), .running = lane->running()});
    return states;
}

void Application::count(const net::ServerRequest& request, const Route* route, int status) const {
    const std::chrono::duration<double> span = std::chrono::steady_clock::now() - request.arrived;
    services_.metrics.count_request({.route = route == nullptr ? "unmatched" : route->path,
                                     .method = request.method,
                                     .status = status,
                                     .seconds = span.count()});
}

void Application::finish(const net::ServerRequest& request, const Route* route, const std::string& request_id,
                         net::ServerResponse& response) const {
    count(request, route, response.status);
    add_headers(request, request_id, response);
}

void Application::add_headers(const net::ServerRequest& request, const std::string& request_id,
                              net::ServerResponse& response) const {
    response.headers.emplace_back("X-Request-Id", request_id);
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    std::ranges::move(access_.cors().response_headers(net::header(request.headers, "origin")),
                      std::back_inserter(response.headers));
}

/// OPTIONS of a path that there is: a browser's question before a request of another origin (CORS), or what it takes.
void Application::answer_options(const net::ServerRequest& request, const std::string& allowed,
                                 net::ServerResponse& response) const {
    response.status = 204;
    response.headers.emplace_back("Allow", allowed + ", OPTIONS");
    if (net::header(request.headers, "access-control-request-method").empty()) return;
    std::ranges::move(access_.cors().preflight_headers(net::header(request.headers, "origin"), allowed),
                      std::back_inserter(response.headers));
}

void Application::dispatch(const std::shared_ptr<net::Exchange>& exchange, const std::string& request_id,
                           const RouteTable::Found& found) {
    const net::ServerRequest& request = exchange->request();
    access_.check_host(request);
    access_.check_origin(request);
    if (found.route == nullptr) {
        if (found.allowed.empty())
            throw Error{ErrorCode::not_found, "There is no such path", "See /openapi.json for all there are."};
        net::ServerResponse response = method_not_allowed(found.allowed, request.target, request_id);
        if (request.method == "OPTIONS") {
            response = {};
            answer_options(request, found.allowed, response);
        }
        finish(request, nullptr, request_id, response);
        exchange->reply(std::move(response));
        return;
    }
    const Route& route = *found.route;
    Admitted admitted{.exchange = exchange,
                      .request_id = request_id,
                      .route = &route,
                      .path = found.path,
                      .caller = access_.admit(request, route.scope),
                      .limit = {},
                      .application = *this};
    if (route.rate != RateClass::none) {
        admitted.limit = limiter_.take(route.rate, admitted.caller.rate_key);
        if (!admitted.limit.allowed) {
            services_.metrics.count_limited(std::string{rate_class_names[route.rate]});
            throw RateLimited{route.rate, admitted.limit};
        }
    }
    Lane* lane = lane_of(route.lane);
    if (lane == nullptr) {
        answer(admitted, nullptr);
        return;
    }
    // Chat is refused before searches: it takes longest, and nobody's page depends on it.
    const bool is_shed = lane == &chat_ && search_.load() > 0.5;
    const auto shared = std::make_shared<Admitted>(std::move(admitted));
    if (is_shed || !lane->offer([this, shared](Worker& worker) { answer(*shared, &worker); })) {
        services_.metrics.count_shed(std::string{lane_names[route.lane]});
        shared->refuse({ErrorCode::overloaded, "The server has more to do than it can", "Try again in a second."});
    }
}

Reply Application::run(const Admitted& admitted, Worker* worker) {
    const Route& route = *admitted.route;
    const net::ServerRequest& request = admitted.exchange->request();
    static const Shape nothing{};
    for (std::size_t i = 0; route.path_shape != nullptr && i < admitted.path.size(); ++i)
        check_path(route.path_shape->fields.at(i), admitted.path[i]);
    Call call{.exchange = *admitted.exchange,
              .request_id = admitted.request_id,
              .caller = admitted.caller,
              .path = admitted.path,
              .query = checked_query(route.query == nullptr ? nothing : *route.query, query_of(request.target)),
              .body = body_of(route, request),
              .worker = worker,
              .streamed_head = [&] {
                  net::ServerResponse head;
                  add_headers(request, admitted.request_id, head);
                  add_limit_headers(admitted.limit, head);
                  return head;
              }};
    return reply_of(route, call);
}

void Application::answer(const Admitted& admitted, Worker* worker) {
    try {
        Reply reply = run(admitted, worker);
        if (reply.is_streamed) {
            count(admitted.exchange->request(), admitted.route, reply.status);
            return;
        }
        net::ServerResponse response{.status = reply.status, .headers = std::move(reply.headers)};
        if (!reply.body.is_null()) {
            response.body = json_text(reply.body);
            response.headers.emplace_back("Content-Type", "application/json");
            response.headers.emplace_back("Cache-Control", "no-store");
        } else {
            response.body = std::move(reply.text);
        }
        if (reply.packed || response.body.size() >= least_gzip_bytes) {
            response.headers.emplace_back("Vary", "Accept-Encoding");
            if (takes_gzip(net::header(admitted.exchange->request().headers, "accept-encoding"))) {
                response.body = reply.packed ? *reply.packed : gzip(response.body, Compression::fast);
                response.headers.emplace_back("Content-Encoding", "gzip");
            }
        }
        admitted.reply(std::move(response));
        if (reply.afterwards) reply.afterwards();
    } catch (const Error& error) {
        if (traits_of(error.code()).http_status >= 500 || error.code() == ErrorCode::cancelled)
            log::warning("{} {}: {}: {}", admitted.route->method, admitted.route->path, traits_of(error.code()).name,
                         error.happened());
        if (error.code() == ErrorCode::store_unavailable && worker != nullptr) worker->lost();
        admitted.refuse(error);
    } catch (const std::exception& error) {
        log::error("{} {}: {}", admitted.route->method, admitted.route->path, error.what());
        admitted.refuse({ErrorCode::internal, error.what(), ""});
    }
}

}  // namespace decant::api
