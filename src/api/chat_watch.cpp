#include "api/chat_watch.hpp"

#include "api/trace_record.hpp"
#include "core/error.hpp"

namespace decant::api {

chat::LlmReply WatchedLlm::chat(const chat::LlmRequest& request, const OnText& on_text, std::stop_token stop) {
    LlmCall& call = calls_.emplace_back(
        LlmCall{.is_intent = request.schema.has_value(), .request = request, .start = trace::now(), .end = {}});
    const auto on_piece = [&](std::string_view piece, bool is_anew) {
        if (!call.first_token) call.first_token = trace::now();
        if (is_anew) call.reply.text.clear();
        call.reply.text += piece;
        if (on_text) on_text(piece, is_anew);
    };
    try {
        call.reply = llm_.chat(request, on_piece, std::move(stop));
    } catch (const Error& error) {
        call.end = trace::now();
        call.error = error_text(error);
        throw;
    } catch (...) {  // of `on_text`: whoever asked has heard enough
        call.end = trace::now();
        throw;
    }
    call.end = trace::now();
    return call.reply;
}

void ChatTimes::note(chat::StepKind kind) {
    if (kind == chat::StepKind::processing && !processing) processing = trace::now();
    if (kind == chat::StepKind::generating && !generating) generating = trace::now();
}

}  // namespace decant::api
