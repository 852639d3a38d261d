#include "chat/agent.hpp"

#include <fmt/format.h>

#include <utility>

#include "chat/detail/memory.hpp"
#include "chat/detail/responder.hpp"
#include "chat/llm_writer.hpp"
#include "core/elapsed.hpp"
#include "core/error.hpp"
#include "core/utf8.hpp"
#include "pg/cancel_on_stop.hpp"

namespace decant::chat {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double thinking_progress = 0.1;
constexpr double processing_progress = 0.4;
constexpr double generating_progress = 0.95;

constexpr Wording thinking_message{"Leyendo el mensaje", "Reading the message"};
constexpr Wording processing_message{"Buscando en el catálogo", "Looking through the catalog"};
constexpr Wording generating_message{"Escribiendo la respuesta", "Writing the answer"};

Error withdrawn() {
    return {ErrorCode::cancelled, "The message was withdrawn", "Send it again."};
}

std::chrono::seconds lease_of(const AgentOptions& options) {
    return options.keeper == nullptr ? SessionStore::longest_turn : TurnKeeper::lease;
}

/// Has a turn renewed, and gives it back unless it was finished.
class HeldTurn {
public:
    HeldTurn(SessionStore& sessions, Turn turn, TurnKeeper* keeper)
        : sessions_(sessions), turn_(std::move(turn)), keeper_(keeper) {
        if (keeper_ != nullptr) keeper_->hold(turn_.token);
    }
    HeldTurn(const HeldTurn&) = delete;
    HeldTurn& operator=(const HeldTurn&) = delete;
    ~HeldTurn() {
        if (keeper_ != nullptr) keeper_->release(turn_.token);
        if (is_finished_) return;
        try {
            sessions_.abandon(turn_);
        } catch (const Error& error) {
            // The turn ends by its time; what went wrong before is what is told.
            log::debug("a turn of chat was not given back: {}", error.happened());
        }
    }

    const Turn& turn() const noexcept { return turn_; }
    void finish(const Exchange& exchange) {
        if (!sessions_.finish(turn_, exchange)) {
            throw Error{
                ErrorCode::conflict,
                fmt::format("Session '{}' was removed while it was answered", printable(turn_.session.session_id)),
                "Send the message again: it begins a new session."};
        }
        is_finished_ = true;
    }

private:
    SessionStore& sessions_;
    Turn turn_;
    TurnKeeper* keeper_;
    bool is_finished_ = false;
};

/// One message on its way to its answer.
class Answering {
public:
    struct Parts {
        pg::Connection& db;
        search::Engine& engine;
        LlmClient* llm;
        const AgentOptions& options;
    };
    Answering(const Parts& parts, const ChatRequest& request, const Progress& on_step, std::stop_token stop)
        : parts_(parts), request_(request), on_step_(on_step), stop_(std::move(stop)) {}

    void tell(const Step& step) const {
        if (stop_.stop_requested()) throw withdrawn();
        if (on_step_) on_step_(step);
    }

    ChatAnswer run(detail::Memory& memory) {
        const pg::CancelOnStop cancel{parts_.db, stop_};
        answer_.language = language_of(request_.message).value_or(memory.language.value_or(Language::spanish));
        memory.language = answer_.language;
        const auto asked = Clock::now();
        answer_.intent = intent(memory);
        answer_.intent_ms = milliseconds_since(asked);
        answer_.requires_human = answer_.intent.act == Act::human || answer_.intent.act == Act::service;
        answer_.is_complete = !answer_.requires_human;
        tell({StepKind::processing, processing_progress, processing_message[answer_.language]});
        detail::Responder responder{{parts_.db, parts_.engine, parts_.options}, memory, answer_.language};
        detail::Draft draft = responder.respond(answer_.intent, request_.message);
        answer_.products = std::move(draft.products);
        answer_.strategy_used = std::move(draft.strategy_used);
        answer_.searched = responder.take_searched();
        if (draft.degraded) degrade(draft.reason);
        tell({StepKind::generating, generating_progress, generating_message[answer_.language]});
        const auto start = Clock::now();
        answer_.text = draft.may_be_reworded && is_llm_up_ ? reworded() : std::string{};
        if (answer_.text.empty()) {
            answer_.text = std::move(draft.text);
            tell({StepKind::generating, generating_progress, answer_.text, true, has_pieces_});
        }
        answer_.wording_ms = milliseconds_since(start);
        return std::move(answer_);
    }

private:
    void degrade(std::string reason) {
        answer_.degraded = true;
        if (answer_.reason.empty()) answer_.reason = std::move(reason);
    }

    Intent intent(const detail::Memory& memory) {
        Intent by_rules = read_intent(request_.message, *parts_.engine.vocabulary(),
                                      {.shown = memory.shown.size(), .has_request = memory.request.has_value()});
        const bool is_settled = by_rules.act != Act::search || by_rules.refines;
        if (parts_.llm == nullptr || is_settled) return by_rules;
        const auto read = with_llm([&] { return ask_intent(*parts_.llm, request_.message, by_rules, stop_); });
        return read ? *read : by_rules;
    }

    std::string reworded() {
        const auto on_piece = [this](std::string_view piece, bool is_anew) {
            tell({StepKind::generating, generating_progress, piece, true, is_anew});
            has_pieces_ = true;
        };
        const Wish wish{.message = request_.message, .products = answer_.products, .language = answer_.language};
        Written written = with_llm([&] { return write_answer(*parts_.llm, wish, on_piece, stop_); });
        answer_.llm_fault = std::move(written.fault);
        answer_.is_of_llm = !written.text.empty();
        return std::move(written.text);
    }

    /// What the LLM gives, or nothing where it fails; then it is not asked again for this message.
    template <typename Ask>
    auto with_llm(const Ask& ask) -> decltype(ask()) {
        try {
            return ask();
        } catch (const Error& error) {
            if (stop_.stop_requested()) throw withdrawn();
            is_llm_up_ = false;
            degrade(fmt::format("the LLM failed: {}", error.happened()));
            return {};
        }
    }

    Parts parts_;
    const ChatRequest& request_;
    const Progress& on_step_;
    std::stop_token stop_;
    ChatAnswer answer_;
    bool is_llm_up_ = parts_.llm != nullptr;
    bool has_pieces_ = false;  ///< of the LLM's answer
};

}  // namespace

std::string session_id_of(const ChatRequest& request) {
    return request.session_id.empty() ? "chat_" + request.user_id : request.session_id;
}

Agent::Agent(pg::Connection& db, search::Engine& engine, LlmClient* llm, AgentOptions options)
    : db_(db), engine_(engine), llm_(llm), options_(std::move(options)), sessions_(db, lease_of(options_)) {}

ChatAnswer Agent::answer(const ChatRequest& request, const Progress& on_step, std::stop_token stop) {
    const auto start = Clock::now();
    if (request.message.find('\0') != std::string::npos || valid_utf8(request.message) != request.message)
        throw Error{ErrorCode::request_invalid, "The message is no UTF-8 text", "Send it as UTF-8, without U+0000."};
    Answering answering{{db_, engine_, llm_, options_}, request, on_step, stop};
    const Language language = language_of(request.message).value_or(Language::spanish);
    answering.tell({StepKind::thinking, thinking_progress, thinking_message[language]});
    const SessionKey key{.session_id = session_id_of(request), .user_id = request.user_id, .subject = request.subject};
    HeldTurn held{sessions_, sessions_.begin(key, options_.session_wait, stop), options_.keeper};
    detail::Memory memory = detail::memory_of(held.turn().state);
    ChatAnswer answer = [&] {
        try {
            return answering.run(memory);
        } catch (const Error&) {
            if (stop.stop_requested()) throw withdrawn();
            throw;
        }
    }();
    answer.session_id = key.session_id;
    answer.conversation_id = held.turn().conversation_id;
    held.finish({.human = request.message, .ai = answer.text, .state = detail::state_of(memory)});
    answer.processing_ms = milliseconds_since(start);
    if (on_step) on_step({.kind = StepKind::complete, .progress = 1, .message = answer.text});
    return answer;
}

}  // namespace decant::chat
