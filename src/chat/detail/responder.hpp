#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chat/agent.hpp"
#include "chat/detail/memory.hpp"
#include "chat/product_facts.hpp"

namespace decant::chat::detail {

/// An answer by templates, with what an LLM may put into other words.
struct Draft {
    std::string text;
    std::vector<search::Hit> products = {};  ///< that the text names
    std::string strategy_used = "none";
    bool degraded = false;
    std::string reason = {};
    bool may_be_reworded = false;
};

/// Finds what an intent asks for, says it by templates, and notes in the memory what later messages may mean.
class Responder {
public:
    struct Resources {
        pg::Connection& db;
        search::Engine& engine;
        const AgentOptions& options;
    };
    /// `memory` must outlive it.
    Responder(const Resources& resources, Memory& memory, Language language)
        : db_(resources.db),
          engine_(resources.engine),
          options_(resources.options),
          memory_(memory),
          language_(language) {}

    Draft respond(const Intent& intent, std::string_view message);
    /// The last answer of the search by words and meaning; none: the intent needed none.
    std::optional<search::Answer> take_searched() { return std::move(searched_); }

private:
    Draft search(const Intent& intent, std::string_view message);
    Draft refine(const Intent& intent);
    Draft browse(const Intent& intent);
    Draft more();
    Draft details(const Intent& intent, std::string_view message);
    Draft stock(const Intent& intent, std::string_view message);
    Draft compare(const Intent& intent);
    Draft catalog();
    Draft by_code(const Intent& intent);
    Draft show(const Intent& intent, const LastRequest& request, search::Request asked);
    Draft found(const Intent& intent, std::vector<search::Hit> hits, bool drops_names);
    Draft nothing(const LastRequest& request, const search::Answer& answer, const search::Request& asked);
    Draft about(const std::vector<ProductFacts>& products);
    Draft stock_of(const std::vector<ProductFacts>& products);

    search::Answer ask(search::Request request);
    search::Answer answer_to(const search::Request& request);
    std::optional<std::string> find_named(const std::string& name);
    std::vector<std::string> meant(const Intent& intent);
    search::Hit extreme_of(const std::vector<std::string>& ids, search::PriceWish wish);

    pg::Connection& db_;
    search::Engine& engine_;
    const AgentOptions& options_;
    Memory& memory_;
    Language language_;
    std::optional<search::Answer> searched_;
};

}  // namespace decant::chat::detail
