#pragma once

#include <optional>
#include <string>
#include <vector>

#include "chat/agent.hpp"
#include "chat/llm_client.hpp"
#include "trace/time.hpp"

namespace decant::api {

/// What an LLM was asked for an answer of the chat, and what came of it.
struct LlmCall {
    bool is_intent = false;  ///< else it words the answer
    chat::LlmRequest request;
    trace::Time start;
    trace::Time end;
    std::optional<trace::Time> first_token = {};
    chat::LlmReply reply = {};  ///< of one that was broken off what had come by then
    std::string error = {};     ///< empty: none
};

/// Passes everything through to the LLM of an answer, and notes it.
class WatchedLlm final : public chat::LlmClient {
public:
    /// `llm` must outlive it.
    explicit WatchedLlm(chat::LlmClient& llm) : llm_(llm) {}

    const std::string& model() const noexcept override { return llm_.model(); }
    chat::LlmReply chat(const chat::LlmRequest& request, const OnText& on_text, std::stop_token stop) override;

    std::vector<LlmCall> take_calls() { return std::move(calls_); }

private:
    chat::LlmClient& llm_;
    std::vector<LlmCall> calls_;
};

/// When the parts of an answer of the chat began; none: it did not get so far.
struct ChatTimes {
    trace::Time start = trace::now();
    std::optional<trace::Time> processing = {};
    std::optional<trace::Time> generating = {};

    void note(chat::StepKind kind);
};

}  // namespace decant::api
