#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/http_stand_in.hpp"

namespace decant::test {

/// A stand-in for an LLM: Ollama's /api/chat (as of 0.17.4) and OpenAI's /v1/chat/completions, as streams. A request
/// that decant should not send (method, path, content type, a field of another type or one that is not known, a role
/// that there is not) is answered 400 and kept as a violation.
class LlmServer {
public:
    /// The pieces of the answer to a request, which has passed the checks.
    using Answer = std::function<std::vector<std::string>(const boost::json::object& request)>;
    /// Answers in the place of the server; none: the server does.
    using Fault = std::function<std::optional<StandInAnswer>(const StandInRequest&)>;

    explicit LlmServer(Answer answer, std::string model = "qwen3:4b");

    void set_fault(Fault fault);
    /// From now on OpenAI's API asks for this key.
    void require_key(const std::string& key);
    /// From now on the model is one of OpenAI's that refuse max_tokens and temperature.
    void require_completion_tokens();

    std::string url() const { return http_.url(); }                 ///< for OLLAMA_API_URL
    std::string openai_url() const { return http_.url() + "/v1"; }  ///< for OPENAI_BASE_URL
    const HttpStandIn& http() const noexcept { return http_; }
    std::vector<std::string> violations() const;

private:
    StandInAnswer answer(const StandInRequest& request);
    StandInAnswer ollama(const boost::json::object& body);
    StandInAnswer openai(const StandInRequest& request, const boost::json::object& body);
    StandInAnswer violation(const std::string& what);

    mutable std::mutex mutex_;
    Answer answer_;
    std::string model_;
    std::string key_;
    bool wants_completion_tokens_ = false;
    Fault fault_;
    std::vector<std::string> violations_;
    HttpStandIn http_;  ///< last: its threads use the others
};

/// The same answer to every request.
LlmServer::Answer always(std::vector<std::string> pieces);

/// One line of Ollama's stream.
std::string ollama_line(const std::string& piece);
std::string ollama_end();
/// One event of OpenAI's stream.
std::string openai_event(const std::string& piece);

}  // namespace decant::test
