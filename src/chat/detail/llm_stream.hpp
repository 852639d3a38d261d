#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "chat/detail/think_filter.hpp"
#include "chat/llm_client.hpp"

namespace decant::chat::detail {

enum class StreamFault {
    none,
    told,       ///< by the server, in words
    no_stream,  ///< what comes is no such stream
    too_large,
};

/// An answer as it comes: the bytes of a stream of lines become text, counts and an end. Knows no network.
class LlmStream {
public:
    static constexpr std::size_t most_answer_bytes = 256UL << 10U;
    static constexpr std::size_t most_line_bytes = 1UL << 20U;

    explicit LlmStream(LlmClient::OnText on_text) : on_text_(std::move(on_text)) {}
    virtual ~LlmStream() = default;

    /// False: no more is of use, because the answer is whole or has a fault. Throws what `on_text` throws.
    bool take(std::string_view bytes);
    /// The stream has ended: its last line may lack its end.
    void finish();

    bool is_done() const noexcept { return is_done_; }
    StreamFault fault() const noexcept { return fault_; }
    /// What the server says of its fault, fit to be shown.
    const std::string& words() const noexcept { return words_; }
    const LlmReply& reply() const noexcept { return reply_; }

protected:
    virtual void take_line(std::string_view line) = 0;
    virtual void take_end() {}

    void add_text(std::string_view piece);
    void end_answer();
    void fail(StreamFault fault, std::string_view words = {});
    void set_counts(std::uint64_t prompt_tokens, std::uint64_t answer_tokens) noexcept;

private:
    void show(const std::string& text, bool is_anew = false);

    LlmClient::OnText on_text_;
    std::string rest_;  ///< of a line whose end is still to come
    ThinkFilter filter_;
    LlmReply reply_;
    StreamFault fault_ = StreamFault::none;
    std::string words_;
    bool is_done_ = false;
};

/// Ollama's /api/chat: a JSON object a line, {"message": {"content": "..."}, "done": false}, the last with "done": true
/// and the counts; or {"error": "..."}.
class OllamaStream final : public LlmStream {
public:
    using LlmStream::LlmStream;

private:
    void take_line(std::string_view line) override;
};

/// OpenAI's /chat/completions: server-sent events of JSON, {"choices": [{"delta": {"content": "..."}}]}, one with
/// {"usage": {...}}, the last [DONE], which some servers leave out after a finish_reason.
class OpenaiStream final : public LlmStream {
public:
    using LlmStream::LlmStream;

private:
    void take_line(std::string_view line) override;
    void take_end() override;
    void take_event();

    std::string event_;  ///< its lines of data so far
    bool has_reason_ = false;
};

/// What an error says: {"error": "..."}, {"error": {"message": "..."}}, {"message": "..."} or {"detail": "..."}, else
/// the body itself; fit to be shown.
std::string error_words(std::string_view body);

}  // namespace decant::chat::detail
