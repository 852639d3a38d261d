#include "api/problem.hpp"

#include <fmt/chrono.h>

#include <chrono>

#include "core/json.hpp"
#include "core/utf8.hpp"
#include "net/http_status.hpp"
#include "pg/sql_state.hpp"

namespace decant::api {
namespace {

struct Problem {
    int status;
    std::string_view code;
    std::string detail;
    std::string_view path;
    std::string_view request_id;
};

/// As OpenAI's API words its errors, for what stands in its place.
json::object openai_body_of(const Problem& problem) {
    const std::string_view type = problem.status >= 500   ? "server_error"
                                  : problem.status == 429 ? "rate_limit_error"
                                                          : "invalid_request_error";
    const json::object error{
        {"message", printable(problem.detail)}, {"type", type}, {"param", nullptr}, {"code", problem.code}};
    return {{"error", error}};
}

json::object body_of(const Problem& problem) {
    return {{"type", fmt::format("urn:decant:error:{}", problem.code)},
            {"title", net::reason_phrase(problem.status)},
            {"status", problem.status},
            {"detail", printable(problem.detail)},
            {"instance", problem.path.substr(0, problem.path.find('?'))},
            {"error", problem.code},
            {"request_id", problem.request_id},
            {"timestamp", timestamp()}};
}

net::ServerResponse response_of(const Problem& problem) {
    const bool is_openai = problem.path.starts_with(openai_prefix);
    net::ServerResponse response{.status = problem.status,
                                 .body = json_text(is_openai ? openai_body_of(problem) : body_of(problem))};
    response.headers.emplace_back("Content-Type", is_openai ? "application/json" : "application/problem+json");
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
            return "Chroma cannot be used at the moment.";
        case ErrorCode::source_changed:
            return "What is searched was changed meanwhile. Ask again.";
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
            if (pg::is_statement_error(error)) return "Something went wrong in the server; its log says what.";
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
