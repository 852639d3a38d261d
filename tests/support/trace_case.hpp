#pragma once

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <string>

#include "net/url.hpp"
#include "trace/langsmith.hpp"
#include "trace/run.hpp"

namespace decant::test {

inline trace::Time time_at(std::int64_t milliseconds) {
    return trace::Time{std::chrono::milliseconds{1'764'324'000'000 + milliseconds}};
}

/// A search of 40 ms with a model of 10 and a retriever that found `text`; `start` in milliseconds.
inline trace::Trace small_trace(const std::string& request_id = "r-1", const std::string& text = "Taladro",
                                std::int64_t start = 0) {
    const json::object document{{"page_content", text}, {"metadata", {{"score", 0.8}}}, {"type", "Document"}};
    return {.root = {.name = "product_search",
                     .start = time_at(start),
                     .end = time_at(start + 40),
                     .inputs = {{"query", text}},
                     .outputs = {{"results", 1}},
                     .metadata = {{"strategy", "pgvector"}}},
            .children = {{.name = "embedding",
                          .type = trace::RunType::embedding,
                          .start = time_at(start + 2),
                          .end = time_at(start + 12),
                          .inputs = {{"input", text}},
                          .metadata = {{"ls_provider", "local"}, {"ls_model_name", "multilingual-e5-small"}}},
                         {.name = "retriever",
                          .type = trace::RunType::retriever,
                          .start = time_at(start + 12),
                          .end = time_at(start + 40),
                          .inputs = {{"query", text}},
                          .outputs = {{"documents", json::array{document}}}}},
            .request_id = request_id};
}

inline trace::SharedRecord small_record(const std::string& request_id = "r-1", const std::string& text = "Taladro") {
    return std::make_shared<const trace::Record>(trace::record_of(small_trace(request_id, text), 1));
}

inline trace::LangSmithSetup langsmith_at(const std::string& url, const std::string& key = "lsv2_key") {
    return {.url = net::parse_url(url, "URL"), .api_key = key, .form = {.project = "shop", .version = "test"}};
}

inline trace::Runs runs_of(const trace::Record& record) {
    trace::Runs runs;
    for (const trace::Run& run : record.runs)
        runs.push_back(&run);
    return runs;
}

}  // namespace decant::test
