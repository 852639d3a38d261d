#include "embed/detail/model_server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/error.hpp"
#include "core/utf8.hpp"
#include "embed/detail/embed_answer.hpp"

namespace decant::embed::detail {
namespace {

constexpr std::size_t most_message_characters = 300;
constexpr std::size_t most_answer_bytes = 32UL << 20U;

/// A server in Python writes NaN and Infinity, which are no JSON.
bool holds_no_finite_number(std::string_view body) {
    return body.starts_with('{') && (body.find("NaN") != body.npos || body.find("Infinity") != body.npos);
}

ServerAnswer answer_of(const net::HttpResponse& response) {
    ServerAnswer answer{.status = response.status};
    if (auto body = parse_body(response.body)) answer.body = std::move(*body);
    answer.message = error_text(answer.body);
    if (answer.message.empty() && answer.body.is_null() && holds_no_finite_number(response.body))
        answer.message = "unsupported value: the answer holds NaN or Infinity";
    if (answer.message.empty() && !response.is_ok()) answer.message = response.body;
    answer.message = printable(first_characters(answer.message, most_message_characters));
    return answer;
}

/// Words of errors that come as 500 or 429 too and would only come again.
bool is_final(const net::HttpResponse& response) {
    constexpr std::array<std::string_view, 6> words{"context length",   "too large to process", "unsupported value",
                                                    "unqualified name", "insufficient_quota",   "not found"};
    return std::ranges::any_of(words,
                               [&](std::string_view each) { return response.body.find(each) != std::string::npos; });
}

net::HttpService patient(net::HttpService service, const ServerOptions& options, const std::string& remedy) {
    service.unavailable = ErrorCode::embedder_unavailable;
    service.unavailable_remedy = remedy;
    service.idle_timeout = options.patience.idle;
    service.total_timeout = options.patience.total;
    service.first_pause = options.patience.first_pause;
    return service;
}

}  // namespace

bool ServerAnswer::is_too_long() const noexcept {
    return says("context length") || says("too large to process");
}

ModelServer::ModelServer(net::HttpService service, const ServerOptions& options, ServerRemedies remedies)
    : client_(patient(std::move(service), options, remedies.unavailable)),
      model_(options.name),
      tries_(options.patience.tries),
      remedies_(std::move(remedies)) {}

std::string ModelServer::address() const {
    return fmt::format("{} at {}", client_.service().name, printable(client_.service().url.text()));
}

ServerAnswer ModelServer::ask(const std::string& path, const std::optional<json::object>& body) {
    const auto is_whole = [](const std::string& bytes) {
        return parse_body(bytes).has_value() || holds_no_finite_number(bytes);
    };
    return answer_of(client_.send({.path = path,
                                   .body = body ? std::optional{json_text(*body)} : std::nullopt,
                                   .tries = tries_,
                                   .most_body_bytes = most_answer_bytes,
                                   .is_whole = is_whole,
                                   .is_final = is_final}));
}

void ModelServer::refuse(const ServerAnswer& answer) const {
    const std::string happened = fmt::format("{} answers {}: {}", address(), answer.status, answer.message);
    const bool is_gone = answer.status == 404 || answer.says("not found") || answer.says("does not exist");
    if (is_gone && answer.says("model")) refuse_missing();
    if (answer.status >= 300 && answer.status < 400) refuse_form();  // redirects are not followed
    switch (answer.status) {
        case 401:
            throw Error{ErrorCode::unauthenticated, happened, remedies_.credentials};
        case 403:
            throw Error{ErrorCode::permission_denied, happened, remedies_.credentials};
        case 404:
        case 405:
            refuse_form();
        case 408:
        case 429:
        case 503:
            if (answer.says("quota"))
                throw Error{ErrorCode::rate_limited, happened, "Look at the account's limits and its credit."};
            throw Error{ErrorCode::overloaded, happened, "Run the same command again later, or a smaller batch."};
        default:
            break;
    }
    if (answer.says("unsupported value")) {
        throw Error{ErrorCode::request_invalid, happened, "Change the text: the model has no vector for it."};
    }
    if (answer.says("does not support") || answer.says("dimensions") || answer.says("unqualified name")) {
        throw Error{ErrorCode::config_invalid, happened,
                    "Check the name of the model and DECANT_EMBEDDING_DIMENSIONS."};
    }
    if (answer.status >= 400 && answer.status < 500) {
        throw Error{ErrorCode::request_invalid, happened, "Look at the text, and at the server's log."};
    }
    throw Error{ErrorCode::embedder_unavailable, happened,
                "Look at the server's log; then run the same command again."};
}

void ModelServer::refuse_missing() const {
    throw Error{ErrorCode::not_found, fmt::format("{} has no model '{}'", address(), printable(model_)),
                remedies_.no_model};
}

void ModelServer::refuse_form() const {
    throw Error{ErrorCode::config_invalid, fmt::format("{} answers, but not as that API does", address()),
                remedies_.address};
}

}  // namespace decant::embed::detail
