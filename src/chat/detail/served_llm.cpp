#include "chat/detail/served_llm.hpp"

#include <fmt/format.h>

#include <exception>
#include <utility>

#include "core/error.hpp"
#include "core/shell_word.hpp"
#include "core/utf8.hpp"

namespace decant::chat::detail {
namespace {

/// Of an answer that is no stream.
constexpr std::size_t most_error_bytes = 1UL << 20U;

net::HttpService service_of(const LlmSetup& setup) {
    const bool is_ollama = setup.api == LlmApi::ollama;
    net::HttpService service{
        .name = is_ollama ? "Ollama" : "The server of the LLM",
        .url = net::parse_url(setup.url, is_ollama ? "OLLAMA_API_URL" : "OPENAI_BASE_URL"),
        .unavailable = ErrorCode::embedder_unavailable,
        .unavailable_remedy = is_ollama
                                  ? "Start it with `ollama serve`, set OLLAMA_API_URL to where it listens, or allow it "
                                    "more time with DECANT_LLM_TIMEOUT."
                                  : "Check OPENAI_BASE_URL and the way there, or allow it more time with "
                                    "DECANT_LLM_TIMEOUT.",
        .idle_timeout = setup.timeout / 2,
        .total_timeout = setup.timeout};
    if (!setup.key.empty()) service.headers.push_back(fmt::format("Authorization: Bearer {}", setup.key));
    return service;
}

json::array messages_of(const LlmRequest& request) {
    json::array messages;
    for (const LlmMessage& message : request.messages)
        messages.push_back({{"role", message.role}, {"content", valid_utf8(message.content)}});
    return messages;
}

/// An answer without a thought is asked for: it would count as part of `most_tokens`.
json::object ollama_body(const std::string& model, const LlmRequest& request) {
    json::object body{{"model", model},
                      {"messages", messages_of(request)},
                      {"stream", true},
                      {"think", false},
                      {"keep_alive", "10m"},
                      {"options", {{"temperature", request.temperature}, {"num_predict", request.most_tokens}}}};
    if (request.schema) body["format"] = *request.schema;
    return body;
}

json::object openai_body(const std::string& model, const LlmRequest& request) {
    json::object body{{"model", model},
                      {"messages", messages_of(request)},
                      {"stream", true},
                      {"stream_options", {{"include_usage", true}}}};
    if (request.schema) {
        body["response_format"] = {{"type", "json_schema"},
                                   {"json_schema", {{"name", "answer"}, {"schema", *request.schema}}}};
    }
    return body;
}

}  // namespace

ServedLlm::ServedLlm(LlmSetup setup)
    : setup_(std::move(setup)),
      client_(service_of(setup_)),
      address_(fmt::format("{} at {}", client_.service().name, printable(client_.service().url.text()))) {}

json::object ServedLlm::body_of(const LlmRequest& request) const {
    if (setup_.api == LlmApi::ollama) return ollama_body(setup_.model, request);
    json::object body = openai_body(setup_.model, request);
    if (counts_completion_) {
        body["max_completion_tokens"] = request.most_tokens;
    } else {
        body["max_tokens"] = request.most_tokens;
        body["temperature"] = request.temperature;
    }
    return body;
}

net::HttpResponse ServedLlm::send(const LlmRequest& request, LlmStream& stream) {
    std::exception_ptr thrown;  // by on_text; nothing may be thrown through libcurl
    const auto on_bytes = [&](std::string_view bytes) {
        try {
            return stream.take(bytes);
        } catch (...) {
            thrown = std::current_exception();
            return false;
        }
    };
    net::HttpResponse response = client_.send({.path = setup_.api == LlmApi::ollama ? "/api/chat" : "/chat/completions",
                                               .body = json_text(body_of(request)),
                                               .tries = 1,
                                               .most_body_bytes = most_error_bytes,
                                               .on_bytes = on_bytes});
    if (thrown) std::rethrow_exception(thrown);
    if (response.is_ok()) stream.finish();
    return response;
}

LlmReply ServedLlm::chat(const LlmRequest& request, const OnText& on_text, std::stop_token stop) {
    client_.limit({.deadline = std::chrono::steady_clock::now() + setup_.timeout, .stop = std::move(stop)});
    std::unique_ptr<LlmStream> stream;
    if (setup_.api == LlmApi::ollama)
        stream = std::make_unique<OllamaStream>(on_text);
    else
        stream = std::make_unique<OpenaiStream>(on_text);
    net::HttpResponse response = send(request, *stream);
    const bool is_newer = response.status == 400 && !counts_completion_ &&
                          response.body.find("max_completion_tokens") != std::string::npos;
    if (is_newer && setup_.api == LlmApi::openai) {  // OpenAI's reasoning models refuse max_tokens
        counts_completion_ = true;
        response = send(request, *stream);
    }
    if (!response.is_ok()) refuse(response.status, error_words(response.body));
    if (!stream->is_done()) refuse_stream(*stream);
    return stream->reply();
}

void ServedLlm::refuse(int status, const std::string& words) const {
    const auto says = [&](std::string_view what) { return words.find(what) != std::string::npos; };
    const std::string happened = fmt::format("{} answers {}: {}", address_, status, words);
    if (says("model") && (status == 404 || says("not found") || says("does not exist"))) refuse_missing();
    const std::string credentials = setup_.api == LlmApi::ollama
                                        ? "Put user and password into OLLAMA_API_URL: http://USER:PASSWORD@host:11434."
                                        : "Set OPENAI_API_KEY, or OPENAI_API_KEY_FILE, to a key of that server.";
    switch (status) {
        case 401:
            throw Error{ErrorCode::unauthenticated, happened, credentials};
        case 403:
            throw Error{ErrorCode::permission_denied, happened, credentials};
        case 404:
        case 405:
            refuse_form();
        case 408:
        case 429:
        case 503:
            if (says("quota"))
                throw Error{ErrorCode::rate_limited, happened, "Look at the account's limits and its credit."};
            throw Error{ErrorCode::overloaded, happened, "Ask again later."};
        default:
            break;
    }
    if (status >= 300 && status < 400) refuse_form();  // redirects are not followed
    if (says("does not support")) {
        throw Error{ErrorCode::config_invalid, happened,
                    fmt::format("Set {} to a model that chats.",
                                setup_.api == LlmApi::ollama ? "OLLAMA_API_MODEL" : "DECANT_LLM_MODEL")};
    }
    if (status >= 400 && status < 500) {
        throw Error{ErrorCode::request_invalid, happened, "Look at the question, and at the server's log."};
    }
    throw Error{ErrorCode::embedder_unavailable, happened, "Look at the server's log; then ask again."};
}

void ServedLlm::refuse_stream(const LlmStream& stream) const {
    switch (stream.fault()) {
        case StreamFault::told:
            refuse(200, stream.words());
        case StreamFault::no_stream:
            refuse_form();
        case StreamFault::too_large:
            throw Error{ErrorCode::too_large,
                        fmt::format("{} answers with more than {} KiB", address_, LlmStream::most_answer_bytes >> 10U),
                        "Take another model: this one does not come to an end."};
        case StreamFault::none:
            break;
    }
    throw Error{ErrorCode::embedder_unavailable, fmt::format("The answer of {} breaks off", address_),
                "Look at the server's log; then ask again."};
}

void ServedLlm::refuse_missing() const {
    throw Error{ErrorCode::not_found, fmt::format("{} has no model '{}'", address_, printable(setup_.model)),
                setup_.api == LlmApi::ollama
                    ? fmt::format("ollama pull {}", shell_word(setup_.model))
                    : "Set DECANT_LLM_MODEL to a model that the server has and the key may use."};
}

void ServedLlm::refuse_form() const {
    throw Error{ErrorCode::config_invalid, fmt::format("{} answers, but not as that API does", address_),
                setup_.api == LlmApi::ollama
                    ? "Set OLLAMA_API_URL to an Ollama of version 0.5 or later, as in http://localhost:11434."
                    : "Set OPENAI_BASE_URL to what stands before /chat/completions, as in https://api.openai.com/v1."};
}

}  // namespace decant::chat::detail
