// What searches and answers of the chat look like as traces.

#include "api/trace_record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace decant::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using trace::RunType;

search::Answer found() {
    search::Answer answer{
        .hits = {{.id = "1", .sku = "p-1", .name = "Taladro", .price = 10, .stock = 2, .similarity = 0.8}},
        .used = "pgvector"};
    answer.understood.text = "taladro";
    answer.times = {.understand_ms = 1, .embed_ms = 5, .search_ms = 20};
    answer.legs = {{.leg = search::Leg::chroma,
                    .failure = Error{ErrorCode::source_unavailable, "http://secret.host is away", "Start it."}}};
    return answer;
}

std::vector<std::string> names_of(const trace::Trace& trace) {
    std::vector<std::string> names;
    for (const trace::Span& span : trace.children)
        names.push_back(span.name);
    return names;
}

TEST(TraceOfSearch, HasItsPartsOneBehindTheOther) {
    const trace::Trace trace =
        trace_of({.run_id = "r", .question = "taladro barato", .milliseconds = 40}, found(), {.embedding = "small"});
    EXPECT_EQ(trace.root.end - trace.root.start, std::chrono::milliseconds{40});
    ASSERT_THAT(names_of(trace), ElementsAre("embedding", "retriever"));
    const trace::Span& embedding = trace.children[0];
    EXPECT_EQ(embedding.start - trace.root.start, std::chrono::milliseconds{1});
    EXPECT_EQ(embedding.end, trace.children[1].start);
    EXPECT_EQ(embedding.inputs, (json::object{{"input", "taladro"}}));
    EXPECT_EQ(trace.children[1].end - trace.children[1].start, std::chrono::milliseconds{20});
    EXPECT_EQ(trace.root.inputs, (json::object{{"query", "taladro barato"}}));
    EXPECT_THAT(trace.tags, IsEmpty());
}

TEST(TraceOfSearch, TellsAFailedLegByItsCodeAlone) {
    const trace::Trace trace = trace_of({.run_id = "r", .milliseconds = 40}, found(), {});
    const std::string told = json_text(trace.children[1].metadata);
    EXPECT_THAT(told, HasSubstr("source_unavailable"));
    EXPECT_THAT(told, Not(HasSubstr("secret.host")));
    const trace::Trace failed =
        trace_of({.run_id = "r"}, Error{ErrorCode::store_unavailable, "could not connect to secret.host", "Start it."});
    EXPECT_THAT(failed.root.error, testing::StartsWith("store_unavailable: "));
    EXPECT_THAT(failed.root.error, Not(HasSubstr("secret.host")));
}

TEST(TraceOfSearch, HasTheArmOfAnExperimentAsTag) {
    const trace::Trace trace =
        trace_of({.run_id = "r", .milliseconds = 40, .exposure = {.experiment = "fusion", .arm = "b"}}, found(), {});
    EXPECT_THAT(trace.tags, ElementsAre("experiment:fusion", "arm:b"));
}

TEST(TraceOfChat, HasTheLlmThatReadTheIntentInThePlaceOfTheParser) {
    const chat::ChatRequest request{.message = "un taladro"};
    ChatTimes times;
    times.processing = times.start + std::chrono::milliseconds{30};
    times.generating = times.start + std::chrono::milliseconds{60};
    chat::ChatAnswer answer{.text = "Taladro", .intent_ms = 20};
    answer.searched = found();
    answer.searched->times.search_ms = 200;
    const auto call = [&](bool is_intent, int start, int end) {
        return LlmCall{.is_intent = is_intent,
                       .request = {.messages = {{"user", "un taladro"}}},
                       .start = times.start + std::chrono::milliseconds{start},
                       .end = times.start + std::chrono::milliseconds{end},
                       .reply = {.text = "x", .prompt_tokens = 12, .answer_tokens = 3}};
    };
    const SearchRecord record{.kind = store::SearchEvent::Kind::chat, .run_id = "r", .question = request.message};
    const trace::Trace with_llm = trace_of(record, {request, times, {call(true, 5, 30), call(false, 60, 90)}}, answer,
                                           {.llm = "qwen3:4b", .llm_provider = "ollama"});
    EXPECT_THAT(names_of(with_llm), ElementsAre("intent", "embedding", "retriever", "answer"));
    EXPECT_EQ(with_llm.children[0].type, RunType::llm);
    EXPECT_EQ(with_llm.children[3].metadata.at("usage_metadata"),
              (json::object{{"input_tokens", 12U}, {"output_tokens", 3U}, {"total_tokens", 15U}}));
    const trace::Trace by_rules = trace_of(record, {request, times, {}}, answer, {});
    EXPECT_THAT(names_of(by_rules), ElementsAre("intent", "embedding", "retriever"));
    EXPECT_EQ(by_rules.children[0].type, RunType::parser);
    EXPECT_EQ(by_rules.children[0].end - by_rules.children[0].start, std::chrono::milliseconds{20});
    EXPECT_EQ(by_rules.children[2].end, *times.generating) << "not behind the end of searching";
}

}  // namespace
}  // namespace decant::api
