#include "cli/commands.hpp"
#include "cli/product_search.hpp"

#include <fmt/format.h>

#include <thread>

#include "api/products_json.hpp"
#include "chat/agent.hpp"
#include "chat/session_store.hpp"
#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/utf8.hpp"
#include "store/database_address.hpp"

namespace decant::cli {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_message = 5000;
constexpr std::size_t most_name = 100;

void require_length(std::string_view what, std::string_view text, std::size_t most) {
    if (!text.empty() && first_characters(text, most).size() == text.size()) return;
    throw Error{ErrorCode::request_invalid, fmt::format("{} takes 1 to {} characters", what, most),
                "Write it like decant chat 'quiero una laptop gamer'."};
}

/// Stops what it is given to at the first SIGINT or SIGTERM.
class StopOnInterrupt {
public:
    StopOnInterrupt() { catch_interrupts(); }
    std::stop_token token() const { return stop_.get_token(); }

private:
    std::stop_source stop_;
    std::jthread watch_{[this](const std::stop_token& over) {
        while (!over.stop_requested() && !interrupted())
            sleep_unless_interrupted(100ms, over);
        if (interrupted()) stop_.request_stop();
    }};
};

json::object json_of(const chat::ChatAnswer& answer) {
    return {{"response", answer.text},
            {"agent_used", answer.agent},
            {"session_id", answer.session_id},
            {"status", answer.status},
            {"metadata",
             {{"requires_human", answer.requires_human},
              {"is_complete", answer.is_complete},
              {"processing_time_ms", answer.processing_ms},
              {"conversation_id", answer.conversation_id},
              {"products", api::products_json(answer.products)},
              {"strategy_used", answer.strategy_used},
              {"degraded", answer.degraded},
              {"intent", chat::json_of(answer.intent)}}}};
}

class Chat final : public Command {
public:
    Chat()
        : Command("chat", "Ask the product agent, as in a chat; a session remembers what was shown",
                  {"decant chat 'quiero una laptop gamer'", "decant chat '¿y más barata?'",
                   "decant chat 'compare the first two' --session shop-1 --json"}) {}
    void declare(Options& options) override {
        options.optional_positional("MESSAGE", message_, "What is said");
        options.text("--user", user_, "Who says it (default: cli)");
        options.text("--session", session_, "The conversation to go on with (default: chat_USER)");
        declare_embedder(options);
    }

    int run(const Context& context) override {
        if (!message_) {
            throw Error{ErrorCode::request_malformed, "chat takes a MESSAGE",
                        "Write it like decant chat 'quiero una laptop gamer'."};
        }
        require_length("MESSAGE", *message_, most_message);
        require_length("--user", user_, most_name);
        if (session_) require_length("--session", *session_, most_name);
        ProductSearch search{context.settings};
        const std::unique_ptr<chat::LlmClient> llm = chat::open_llm(context.settings);
        chat::Agent agent{search.db(), search.engine(), llm.get(), {.log_level = log::Level::debug}};
        const StopOnInterrupt stop;
        const chat::ChatAnswer answer = agent.answer(
            {.message = *message_, .user_id = user_, .session_id = session_.value_or("")}, {}, stop.token());
        if (context.json) {
            fmt::print("{}\n", json_text(json_of(answer)));
            return 0;
        }
        if (answer.degraded) log::warning("degraded: {}", answer.reason);
        fmt::print("{}\n", answer.text);
        return 0;
    }

private:
    std::optional<std::string> message_;
    std::string user_ = "cli";
    std::optional<std::string> session_;
};

class ChatForget final : public Command {
public:
    ChatForget()
        : Command("chat forget", "Remove all chat sessions of a user, with all that was said in them",
                  {"decant chat forget test_user", "decant chat forget test_user --json"}) {}
    void declare(Options& options) override { options.required_positional("USER", user_, "As the messages named it"); }

    int run(const Context& context) override {
        pg::Connection db = pg::Connection::open(store::resolve_database(context.settings).conninfo);
        const std::uint64_t sessions = chat::SessionStore{db}.forget(user_);
        if (context.json)
            fmt::print("{}\n", json_text(json::object{{"user_id", user_}, {"sessions", sessions}}));
        else
            fmt::print("forgotten  {} session{}\n", sessions, sessions == 1 ? "" : "s");
        return 0;
    }

private:
    std::string user_;
};

}  // namespace

Commands make_chat() {
    return commands_of<Chat, ChatForget>();
}

}  // namespace decant::cli
