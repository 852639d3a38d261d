#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "chat/intent.hpp"
#include "chat/language.hpp"
#include "chat/llm_client.hpp"
#include "chat/session_store.hpp"
#include "chat/turn_keeper.hpp"
#include "core/enum_names.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "pg/connection.hpp"
#include "search/engine.hpp"

namespace decant::chat {

struct ChatRequest {
    std::string message;
    std::string user_id;
    std::string session_id = {};  ///< empty: "chat_" and the user
    json::object metadata = {};   ///< the caller's, handed back
    std::string subject = {};     ///< of the credential, as SessionKey's
};

/// The id that a request's session has.
std::string session_id_of(const ChatRequest& request);

struct ChatAnswer {
    std::string text;
    std::string status = "success";
    std::string agent = "product_agent";
    bool requires_human = false;
    bool is_complete = true;
    std::vector<search::Hit> products = {};  ///< that the text numbers
    std::string strategy_used = "none";      ///< as of search::Answer; "catalog" where nothing was searched for
    std::string session_id = {};
    std::string conversation_id = {};
    bool degraded = false;    ///< something that would have answered better was away
    std::string reason = {};  ///< why, for the log
    Intent intent = {};
    Language language = Language::spanish;
    bool is_of_llm = false;      ///< the words; else the templates'
    std::string llm_fault = {};  ///< why what the LLM wrote was replaced
    double processing_ms = 0;
    double intent_ms = 0;                         ///< of these, until it was known what is asked
    double wording_ms = 0;                        ///< of these, once the products were found
    std::optional<search::Answer> searched = {};  ///< the last search for it; none: it needed none
};

enum class StepKind { thinking, processing, generating, complete };
inline constexpr EnumNames<StepKind, 4> step_names{{"thinking", "processing", "generating", "complete"}};

struct Step {
    StepKind kind;
    double progress;           ///< from 0 to 1
    std::string_view message;  ///< what is done; of a piece its text; of complete the whole answer
    bool is_piece = false;     ///< of the answer, each one behind the other
    bool is_anew = false;      ///< a piece in the place of all before it, which was a thought, or went wrong later
};
/// What it throws ends the work, and is thrown on.
using Progress = std::function<void(const Step&)>;

struct AgentOptions {
    std::uint64_t shown = 5;        ///< products an answer numbers at most
    std::uint64_t candidates = 10;  ///< that are searched for
    std::chrono::milliseconds session_wait{10'000};
    log::Level log_level = log::Level::info;        ///< of the lines about searching
    std::optional<search::Strategy> strategy = {};  ///< in the place of the engine's
    /// In the place of the engine's, where another server may answer; what it throws is the failure of the search.
    std::function<search::Answer(const search::Request&)> ask = {};
    TurnKeeper* keeper = nullptr;  ///< renews the turn; null: it is the agent's for as long as may be
};

/// Answers messages about products. One connection, one thread at a time.
class Agent {
public:
    /// All must outlive it; `engine` searches by `db`. `llm` may be null: then rules and templates do the job, as they
    /// do where it fails. Throws Error{not_found} where migration 006 was not applied.
    Agent(pg::Connection& db, search::Engine& engine, LlmClient* llm, AgentOptions options = {});

    /// Stores the message and the answer in the session. `stop` ends the LLM's work and the database's within about
    /// 200 ms. Throws Error: cancelled; what SessionStore::begin and search::Engine::search throw.
    ChatAnswer answer(const ChatRequest& request, const Progress& on_step = {}, std::stop_token stop = {});

private:
    pg::Connection& db_;
    search::Engine& engine_;
    LlmClient* llm_;
    AgentOptions options_;
    SessionStore sessions_;
};

}  // namespace decant::chat
