#pragma once

#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include "chat/intent.hpp"
#include "chat/language.hpp"
#include "chat/llm_client.hpp"
#include "search/hit.hpp"

namespace decant::chat {

/// The intent as an LLM reads it, held to a schema. None where its answer is no sense: another form, terms of nothing,
/// prices that were not said. Of a message that names things of the catalog it says how to search, never that it is
/// about something else. Throws what LlmClient::chat does.
std::optional<Intent> ask_intent(LlmClient& llm, std::string_view message, const Intent& by_rules,
                                 std::stop_token stop);

struct Wish {
    std::string_view message;
    std::span<const search::Hit> products;  ///< all that the answer may be about, in its order
    Language language = Language::spanish;
};

struct Written {
    std::string text;   ///< empty where the answer is of no use
    std::string fault;  ///< why
};

/// The answer's words by an LLM, to which the products are data. `on_piece` gets it line by line or sentence by
/// sentence, each after everything up to it was found to say nothing but what the products have; the first fault ends
/// it. Throws what LlmClient::chat and `on_piece` do.
Written write_answer(LlmClient& llm, const Wish& wish, const LlmClient::OnText& on_piece, std::stop_token stop);

}  // namespace decant::chat
