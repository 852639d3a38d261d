#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "chat/llm_client.hpp"
#include "core/error.hpp"

namespace decant::test {

/// An LLM that answers what a test says.
class ScriptedLlm final : public chat::LlmClient {
public:
    using Answer = std::function<std::vector<std::string>(const chat::LlmRequest&)>;

    static constexpr char drops = '\f';  ///< begins a piece that takes the place of all before it

    explicit ScriptedLlm(std::vector<std::string> pieces)
        : answer([pieces = std::move(pieces)](const chat::LlmRequest&) { return pieces; }) {}
    explicit ScriptedLlm(Answer answers) : answer(std::move(answers)) {}

    const std::string& model() const noexcept override { return model_; }

    chat::LlmReply chat(const chat::LlmRequest& request, const OnText& on_text, std::stop_token stop) override {
        requests.push_back(request);
        if (on_request) on_request(stop);
        if (stop.stop_requested()) throw Error{ErrorCode::cancelled, "The request was withdrawn", "Send it again."};
        if (fails) throw Error{ErrorCode::embedder_unavailable, "The LLM is away", "Start it."};
        chat::LlmReply reply;
        for (const std::string& piece : answer(request)) {
            const bool is_anew = piece.starts_with(drops);
            if (is_anew) reply.text.clear();
            const std::string_view text = std::string_view{piece}.substr(is_anew ? 1 : 0);
            if (on_text) on_text(text, is_anew);
            reply.text += text;
        }
        return reply;
    }

    Answer answer;
    std::function<void(const std::stop_token&)> on_request = {};  ///< before the answer
    bool fails = false;
    std::vector<chat::LlmRequest> requests = {};

private:
    std::string model_ = "scripted";
};

}  // namespace decant::test
