#include "api/problem.hpp"

#include <fmt/chrono.h>

#include <chrono>

#include "core/json.hpp"
#include "core/utf8.hpp"

namespace decant::api {
namespace {

std::string_view title_of(int status) {
    switch (status) {
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 411:
            return "Length Required";
        case 413:
            return "Content Too Large";
        case 414:
            return "URI Too Long";
        case 415:
            return "Unsupported Media Type";
        case 417:
            return "Expectation Failed";
        case 422:
            return "Unprocessable Content";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 501:
            return "Not Implemented";
        case 502:
            return "Bad Gateway";
        case 503:
            return "Service Unavailable";
        case 505:
            return "HTTP Version Not Supported";
        default:
            return "Internal Server Error";
    }
}

struct Problem {
    int status;
    std::string_view code;
    std::string detail;
    std::string_view path;
    std::string_view request_id;
};

/// As OpenAI's API words its errors, for what stands in its place.
net::ServerResponse openai_response_of(const Problem& problem) {
    const std::string_view type = problem.status >= 500   ? "server_error"
                                  : problem.status == 429 ? "rate_limit_error"
                                                          : "invalid_request_error";
    const json::object error{
        {"message", printable(problem.detail)}, {"type", type}, {"param", nullptr}, {"code", problem.code}};
    net::ServerResponse response{.status = problem.status, .body = json_text(json::object{{"error", error}})};
    response.headers.emplace_back("Content-Type", "application/json");
    response.headers.emplace_back("Cache-Control", "no-store");
    if (problem.status == 503) response.headers.emplace_back("Retry-After", "1");
    return response;
}

net::ServerResponse response_of(const Problem& problem) {
    if (problem.path.starts_with(openai_prefix)) return openai_response_of(problem);
    const json::object body{{"type", fmt::format("urn:decant:error:{}", problem.code)},
                            {"title", title_of(problem.status)},
                            {"status", problem.status},
                            {"detail", printable(problem.detail)},
                            {"instance", problem.path.substr(0, problem.path.find('?'))},
                            {"error", problem.code},
                            {"request_id", problem.request_id},
                            {"timestamp", timestamp()}};
    net::ServerResponse response{.status = problem.status, .body = json_text(body)};
    response.headers.emplace_back("Content-Type", "application/problem+json");
    response.headers.emplace_back("Cache-Control", "no-store");
    if (problem.status == 503) response.headers.emplace_back("Retry-After", "1");
    return response;
}

}  // namespace

std::string public_detail(const Error& error) {
    switch (error.code()) {
        case ErrorCode::permission_denied:
        case ErrorCode::store_unavailable:
        case ErrorCode::store_full:
        case ErrorCode::commit_in_doubt:
            return "The database cannot be used at the moment. Try again later.";
        case ErrorCode::embedder_unavailable:
            return "The embedding model cannot be reached at the moment.";
        case ErrorCode::source_unavailable:
        case ErrorCode::source_unreadable:
        case ErrorCode::source_changed:
            return "Chroma cannot be used at the moment.";
        case ErrorCode::timed_out:
            return "The answer took too long.";
        case ErrorCode::dimension_mismatch:
            return "The catalog's embeddings are of another dimension than the model's.";
        case ErrorCode::config_invalid:
            return "A setting of the server is wrong; its log says which.";
        case ErrorCode::store_rejected:
            return "The database refused the values of this request.";
        case ErrorCode::cancelled:
        case ErrorCode::internal:
            return "Something went wrong in the server; its log says what.";
        default:
            break;
    }
    std::string detail = error.happened();
    if (!detail.ends_with('.')) detail += '.';
    return error.remedy().empty() ? detail : fmt::format("{} {}", detail, error.remedy());
}

net::ServerResponse problem_of(const Error& error, std::string_view path, std::string_view request_id) {
    const ErrorTraits& traits = traits_of(error.code());
    return response_of({.status = traits.http_status == 0 ? 503 : traits.http_status,
                        .code = traits.name,
                        .detail = public_detail(error),
                        .path = path,
                        .request_id = request_id});
}

net::ServerResponse problem_of(const net::Refusal& refusal) {
    const bool is_too_large = refusal.status == 413 || refusal.status == 414 || refusal.status == 431;
    const std::string_view code = is_too_large ? "too_large" : refusal.status >= 500 ? "internal" : "request_malformed";
    return response_of(
        {.status = refusal.status, .code = code, .detail = refusal.detail, .path = "", .request_id = ""});
}

net::ServerResponse method_not_allowed(std::string_view allowed, std::string_view path, std::string_view request_id) {
    net::ServerResponse response = response_of({.status = 405,
                                                .code = "request_malformed",
                                                .detail = fmt::format("This path takes {}.", allowed),
                                                .path = path,
                                                .request_id = request_id});
    response.headers.emplace_back("Allow", std::string{allowed});
    return response;
}

std::string timestamp() {
    const auto now = std::chrono::system_clock::now();
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(now)),
                       milliseconds % 1000);
}

}  // namespace decant::api
