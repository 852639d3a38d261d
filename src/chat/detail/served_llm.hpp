#pragma once

#include <chrono>
#include <string>

#include "chat/detail/llm_stream.hpp"
#include "chat/llm_client.hpp"
#include "net/http_client.hpp"

namespace decant::chat::detail {

enum class LlmApi {
    ollama,  ///< POST /api/chat
    openai,  ///< POST /chat/completions
};

struct LlmSetup {
    LlmApi api;
    std::string url;
    std::string model;
    std::string key = {};                       ///< bearer token; empty: none is sent
    std::chrono::milliseconds timeout{60'000};  ///< of one answer; half of it without a byte
};

/// An LLM behind one of the two APIs.
class ServedLlm final : public LlmClient {
public:
    /// Throws Error: request_invalid for a URL that is none, config_invalid for a key that no header can carry.
    explicit ServedLlm(LlmSetup setup);

    const std::string& model() const noexcept override { return setup_.model; }
    LlmReply chat(const LlmRequest& request, const OnText& on_text, std::stop_token stop) override;

private:
    json::object body_of(const LlmRequest& request) const;
    net::HttpResponse send(const LlmRequest& request, LlmStream& stream);
    [[noreturn]] void refuse(int status, const std::string& words) const;
    [[noreturn]] void refuse_stream(const LlmStream& stream) const;
    [[noreturn]] void refuse_missing() const;
    [[noreturn]] void refuse_form() const;

    LlmSetup setup_;
    net::HttpClient client_;
    std::string address_;             ///< "Ollama at http://localhost:11434"
    bool counts_completion_ = false;  ///< the model of OpenAI wants max_completion_tokens and no temperature
};

}  // namespace decant::chat::detail
