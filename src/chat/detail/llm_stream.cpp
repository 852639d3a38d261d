#include "chat/detail/llm_stream.hpp"

#include <array>
#include <boost/json/parse.hpp>

#include "core/utf8.hpp"

namespace decant::chat::detail {
namespace {

constexpr std::size_t most_words = 300;

/// None where `text` is no JSON of at most 32 levels.
std::optional<json::value> parse(std::string_view text) {
    boost::system::error_code failed;
    json::value value = json::parse(json::string_view{text.data(), text.size()}, failed);
    if (failed) return std::nullopt;
    return value;
}

/// Null where there is nothing.
const json::value* at(const json::value& body, std::string_view pointer) {
    boost::system::error_code is_missing;
    return body.find_pointer({pointer.data(), pointer.size()}, is_missing);
}

/// Empty where it is no text.
std::string_view text_at(const json::value& body, std::string_view pointer) {
    const json::value* found = at(body, pointer);
    const json::string* text = found != nullptr ? found->if_string() : nullptr;
    return text != nullptr ? std::string_view{text->data(), text->size()} : std::string_view{};
}

/// 0 where it is no number from 0 on.
std::uint64_t count_at(const json::value& body, std::string_view pointer) {
    const json::value* found = at(body, pointer);
    if (found == nullptr) return 0;
    boost::system::error_code is_no_count;
    const auto count = found->to_number<std::uint64_t>(is_no_count);
    return is_no_count ? 0 : count;
}

bool is_true_at(const json::value& body, std::string_view pointer) {
    const json::value* found = at(body, pointer);
    return found != nullptr && found->is_bool() && found->get_bool();
}

std::string_view told_error(const json::value& body) {
    constexpr std::array<std::string_view, 4> places{"/error", "/error/message", "/message", "/detail"};
    for (const std::string_view place : places) {
        if (const std::string_view text = text_at(body, place); !text.empty()) return text;
    }
    return {};
}

bool has_error(const json::value& body) {
    const json::value* error = at(body, "/error");
    return error != nullptr && !error->is_null();
}

}  // namespace

std::string error_words(std::string_view body) {
    const auto json = parse(body);
    const std::string_view told = json ? told_error(*json) : std::string_view{};
    return printable(first_characters(told.empty() ? body : told, most_words));
}

bool LlmStream::take(std::string_view bytes) {
    const auto goes_on = [this] { return !is_done_ && fault_ == StreamFault::none; };
    while (goes_on() && !bytes.empty()) {
        const std::size_t end = bytes.find('\n');
        rest_ += bytes.substr(0, end);
        if (rest_.size() > most_line_bytes) fail(StreamFault::too_large);
        if (end == std::string_view::npos || !goes_on()) break;
        bytes.remove_prefix(end + 1);
        const std::string line = std::exchange(rest_, {});
        take_line(line.ends_with('\r') ? std::string_view{line}.substr(0, line.size() - 1) : line);
    }
    return goes_on();
}

void LlmStream::finish() {
    if (!rest_.empty()) take("\n");
    if (!is_done_ && fault_ == StreamFault::none) take_end();
}

void LlmStream::add_text(std::string_view piece) {
    const std::string text = filter_.take(piece);
    const bool is_anew = filter_.drops_what_was_given();
    if (is_anew) reply_.text.clear();
    show(text, is_anew);
}

void LlmStream::show(const std::string& text, bool is_anew) {
    if ((text.empty() && !is_anew) || fault_ != StreamFault::none) return;
    if (reply_.text.size() + text.size() > most_answer_bytes) return fail(StreamFault::too_large);
    reply_.text += text;
    if (on_text_) on_text_(text, is_anew);
}

void LlmStream::end_answer() {
    show(filter_.finish());
    is_done_ = fault_ == StreamFault::none;
}

void LlmStream::fail(StreamFault fault, std::string_view words) {
    fault_ = fault;
    words_ = printable(first_characters(words, most_words));
}

void LlmStream::set_counts(std::uint64_t prompt_tokens, std::uint64_t answer_tokens) noexcept {
    reply_.prompt_tokens = prompt_tokens;
    reply_.answer_tokens = answer_tokens;
}

void OllamaStream::take_line(std::string_view line) {
    if (line.find_first_not_of(" \t") == std::string_view::npos) return;
    const auto json = parse(line);
    if (!json || !json->is_object()) return fail(StreamFault::no_stream, line);
    if (has_error(*json)) return fail(StreamFault::told, told_error(*json));
    if (at(*json, "/message") == nullptr && at(*json, "/done") == nullptr) return fail(StreamFault::no_stream, line);
    add_text(text_at(*json, "/message/content"));
    if (!is_true_at(*json, "/done")) return;
    set_counts(count_at(*json, "/prompt_eval_count"), count_at(*json, "/eval_count"));
    end_answer();
}

void OpenaiStream::take_line(std::string_view line) {
    if (line.empty()) return take_event();
    constexpr std::string_view data = "data:";
    if (!line.starts_with(data)) {  // a comment or a field that says nothing of the answer, else no event
        if (line.starts_with('{') || line.find(':') == std::string_view::npos) fail(StreamFault::no_stream, line);
        return;
    }
    line.remove_prefix(data.size());
    if (line.starts_with(' ')) line.remove_prefix(1);
    if (event_.size() + line.size() > most_line_bytes) return fail(StreamFault::too_large);
    if (!event_.empty()) event_ += '\n';
    event_ += line;
}

void OpenaiStream::take_event() {
    const std::string event = std::exchange(event_, {});
    if (event.empty()) return;
    if (event == "[DONE]") return end_answer();
    const auto json = parse(event);
    if (!json || !json->is_object()) return fail(StreamFault::no_stream, event);
    if (has_error(*json)) return fail(StreamFault::told, told_error(*json));
    if (at(*json, "/choices") == nullptr) return fail(StreamFault::no_stream, event);
    add_text(text_at(*json, "/choices/0/delta/content"));
    has_reason_ = has_reason_ || !text_at(*json, "/choices/0/finish_reason").empty();
    if (at(*json, "/usage/prompt_tokens") != nullptr)
        set_counts(count_at(*json, "/usage/prompt_tokens"), count_at(*json, "/usage/completion_tokens"));
}

void OpenaiStream::take_end() {
    take_event();
    if (has_reason_ && fault() == StreamFault::none && !is_done()) end_answer();
}

}  // namespace decant::chat::detail
