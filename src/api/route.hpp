#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "api/access.hpp"
#include "api/scope.hpp"
#include "api/shape.hpp"
#include "core/enum_names.hpp"
#include "core/json.hpp"
#include "net/http_server.hpp"

/// api/: the HTTP API. One table of routes, from which access, limits, validation, the OpenAPI document and the tests
/// are derived; a handler parses, asks the folders below, renders, and JSON ends there.
namespace decant::api {

class Worker;

/// Which threads answer: `immediate` is the I/O thread itself, for what only looks at memory.
enum class LaneKind { immediate, search, chat, work, embedding };
inline constexpr EnumNames<LaneKind, 5> lane_names{{"immediate", "search", "chat", "work", "embedding"}};

/// Of routes that belong to the web page: they are no part of the API's document.
inline constexpr std::string_view page_group = "page";

/// Of the route that speaks another protocol than the API's document tells, which has its own.
inline constexpr std::string_view mcp_group = "mcp";

/// A request that passed access, limits and validation.
struct Call {
    net::Exchange& exchange;
    std::string_view request_id;
    const Principal& caller;
    std::vector<std::string> path;  ///< what stands in the places of {names}, decoded
    json::object query;             ///< with fallbacks
    json::object body;
    Worker* worker = nullptr;     ///< null: lane immediate
    bool may_be_retried = false;  ///< a connection that broke fails this try alone, not the request

    /// Headers that a streamed answer begins with.
    std::function<net::ServerResponse()> streamed_head = {};

    const net::ServerRequest& request() const noexcept { return exchange.request(); }
};

struct Reply {
    int status = 200;
    json::value body = nullptr;
    std::vector<std::pair<std::string, std::string>> headers = {};
    std::string text = {};                           ///< in the place of `body`, with its type in `headers`
    std::shared_ptr<const std::string> packed = {};  ///< `text` compressed, where it need not be done each time
    bool is_streamed = false;                        ///< the handler has answered by the exchange itself
    std::function<void()> afterwards = {};           ///< what nobody waits for: done once the answer is on its way
};

/// A header that a route reads, and what its value must look like (a regular expression of JSON Schema).
struct RequestHeader {
    std::string_view name;
    std::string_view pattern;
    std::string_view example;
};

struct Route {
    std::string_view method;
    std::string_view path;  ///< "/api/v1/pgvector/similar/{product_id}"
    std::string_view id;    ///< operationId
    std::string_view group;
    std::string_view summary;
    Scope scope = Scope::open;
    RateClass rate = RateClass::none;
    LaneKind lane = LaneKind::search;
    const Shape* path_shape = nullptr;  ///< of the {names}
    const Shape* query = nullptr;
    const Shape* body = nullptr;
    const Shape* answer = nullptr;
    int success = 200;
    std::vector<int> refusals = {};      ///< statuses besides those that every route of its kind may give
    std::vector<int> also_answers = {};  ///< statuses with the same shape as the success
    bool body_may_be_absent = false;
    /// What it wrote or told of is found by later searches of its caller, whichever server answers them.
    bool is_read_back = false;
    bool reads_body_itself = false;  ///< the handler takes the request's bytes, whatever they are
    std::string_view produces = "application/json";
    std::vector<RequestHeader> request_headers = {};  ///< that it reads
    json::value example = nullptr;                    ///< of the body
    std::function<Reply(Call&)> handle;
};

/// The value of a header (lower case) that a route reads; none where it was not sent. Throws
/// Error{request_malformed} where it stands twice or is empty.
std::optional<std::string_view> sent_header(const net::ServerRequest& request, std::string_view name);

/// Throws Error{unsupported_media_type} unless the request says that its body is JSON.
void require_json(const net::ServerRequest& request);

/// The part before '?', and after it.
std::string_view path_of(std::string_view target) noexcept;
std::string_view query_of(std::string_view target) noexcept;

/// All routes, in the order of the document.
class RouteTable {
public:
    explicit RouteTable(std::vector<Route> routes);

    struct Found {
        const Route* route = nullptr;   ///< null: no such path, or another method of it
        std::vector<std::string> path;  ///< as Call::path
        std::string allowed;            ///< "GET, HEAD"; empty: no such path
    };
    /// HEAD finds what GET does.
    Found find(std::string_view method, std::string_view target) const;

    const std::vector<Route>& routes() const noexcept { return routes_; }

private:
    std::vector<Route> routes_;
};

}  // namespace decant::api
