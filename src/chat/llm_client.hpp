#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.hpp"
#include "core/settings.hpp"

namespace decant::chat {

struct LlmMessage {
    std::string role;  ///< "system", "user" or "assistant"
    std::string content;
};

struct LlmRequest {
    std::vector<LlmMessage> messages;
    std::optional<json::object> schema = {};  ///< JSON schema that the answer is held to; none: free text
    double temperature = 0;
    std::size_t most_tokens = 512;
};

struct LlmReply {
    std::string text;                 ///< without what a reasoning model thought; may be empty
    std::uint64_t prompt_tokens = 0;  ///< as the server counts; 0: not told
    std::uint64_t answer_tokens = 0;
};

/// A large language model behind a server. One thread at a time. What it writes is from outside: see grounding.hpp.
class LlmClient {
public:
    /// `is_anew`: what came before was thought, and this takes its place.
    using OnText = std::function<void(std::string_view piece, bool is_anew)>;

    virtual ~LlmClient() = default;
    virtual const std::string& model() const noexcept = 0;

    /// `on_text`, which may be empty, gets the answer in pieces of whole characters as they come; what it throws ends
    /// the request and is thrown on. The request is made once: whoever asked decides whether to ask again.
    /// Throws Error: embedder_unavailable (nobody answers, or the answer breaks off), timed_out, overloaded,
    /// rate_limited, not_found (no such model), unauthenticated, permission_denied, config_invalid (another kind of
    /// server or model), request_invalid, too_large (an answer over 256 KiB), cancelled (within a second of `stop`).
    virtual LlmReply chat(const LlmRequest& request, const OnText& on_text, std::stop_token stop) = 0;
};

/// As DECANT_LLM says; null where no LLM is configured. Asks no server yet.
/// Throws Error: config_invalid where no model is named, request_invalid where the address is no URL.
std::unique_ptr<LlmClient> open_llm(const Settings& settings);

}  // namespace decant::chat
