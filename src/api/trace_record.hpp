#pragma once

#include <string>
#include <vector>

#include "api/chat_watch.hpp"
#include "api/search_record.hpp"
#include "chat/agent.hpp"
#include "core/error.hpp"
#include "embed/embedder.hpp"
#include "search/engine.hpp"
#include "trace/run.hpp"

namespace decant::api {

/// An error as a trace has it: its code, and what a caller of the API may know.
std::string error_text(const Error& error);

/// The models that answers are made with; empty: not known.
struct TracedModels {
    std::string embedding = {};
    std::string embedding_provider = {};
    std::string llm = {};
    std::string llm_provider = {};
};

TracedModels traced_models(const Services& services);

/// A search as a chain of its embedding, where it had one, and its retriever.
trace::Trace trace_of(const SearchRecord& record, const search::Answer& answer, const TracedModels& models);

/// Products that are similar to one: a chain of its retriever.
trace::Trace trace_of(const SearchRecord& record, const std::vector<search::Hit>& hits);

/// One that failed.
trace::Trace trace_of(const SearchRecord& record, const Error& error);

/// What is known of an answer of the chat besides its search.
struct ChatRecord {
    const chat::ChatRequest& request;
    const ChatTimes& times;
    std::vector<LlmCall> calls;
    std::string message_id = {};  ///< of a streamed answer
};

/// The chain "product_agent" of intent (parser or llm), embedding, retriever and llm.
trace::Trace trace_of(const SearchRecord& record, ChatRecord chat, const chat::ChatAnswer& answer,
                      const TracedModels& models);

/// The same of one that failed.
trace::Trace trace_of(const SearchRecord& record, ChatRecord chat, const Error& error, const TracedModels& models);

}  // namespace decant::api
