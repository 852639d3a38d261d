// The parsers of streamed answers, without a server.

#include "chat/detail/llm_stream.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/support/llm_server.hpp"

namespace decant::chat::detail {
namespace {

/// Fed in pieces of `size` bytes.
template <typename Stream>
std::string told(std::string_view bytes, std::size_t size = 1'000'000) {
    std::string shown;
    Stream stream{[&](std::string_view piece, bool is_anew) {
        if (is_anew) shown.clear();
        shown += piece;
    }};
    bool goes_on = true;
    for (std::size_t at = 0; goes_on && at < bytes.size(); at += size)
        goes_on = stream.take(bytes.substr(at, size));
    if (goes_on) stream.finish();
    if (stream.fault() == StreamFault::told) return "told: " + stream.words();
    if (stream.fault() == StreamFault::too_large) return "too large";
    if (stream.fault() == StreamFault::no_stream) return "no stream";
    if (!stream.is_done()) return "breaks off";
    EXPECT_EQ(shown, stream.reply().text);
    return stream.reply().text;
}

std::string ollama(const std::vector<std::string>& pieces) {
    std::string lines;
    for (const std::string& piece : pieces)
        lines += test::ollama_line(piece);
    return lines + test::ollama_end();
}

TEST(OllamaStream, ReadsLinesHoweverTheyAreCut) {
    const std::string bytes = ollama({"¿Qué ", "taladro", "? 😀"});
    for (const std::size_t size : {1U, 2U, 7U, 100U, 10'000U})
        EXPECT_EQ(told<OllamaStream>(bytes, size), "¿Qué taladro? 😀") << size;
}

TEST(OllamaStream, TakesOtherLineEnds) {
    std::string bytes = ollama({"a", "b"});
    bytes.pop_back();
    EXPECT_EQ(told<OllamaStream>(bytes), "ab") << "the last line has none";
    EXPECT_EQ(told<OllamaStream>("\r\n" + test::ollama_line("a") + "\n" + ollama({"b"})), "ab");
}

TEST(OllamaStream, LeavesOutThoughts) {
    EXPECT_EQ(told<OllamaStream>(ollama({"<think>\nun", "o</think>\n\nHola"})), "Hola");
    EXPECT_EQ(told<OllamaStream>(ollama({"<th", "ink>uno</thi", "nk", "> Ho", "la"})), "Hola");
    EXPECT_EQ(told<OllamaStream>(ollama({"a <thin b <", "think>c</think>d<"})), "a <thin b d<");
    EXPECT_EQ(told<OllamaStream>(ollama({"Hola <think>no ends"})), "Hola ");
    EXPECT_EQ(told<OllamaStream>(R"({"message":{"role":"assistant","content":"","thinking":"uno"},"done":false})"
                                 "\n" +
                                 ollama({"Hola"})),
              "Hola");
}

TEST(OllamaStream, DropsAThoughtWhoseBeginningTheServerKept) {
    std::string shown;
    OllamaStream stream{[&](std::string_view piece, bool is_anew) {
        if (is_anew) shown.clear();
        shown += piece;
    }};
    stream.take(ollama({"uno ", "dos</think>", "\n\nHola"}));
    EXPECT_TRUE(stream.is_done());
    EXPECT_EQ(shown, "Hola");
    EXPECT_EQ(stream.reply().text, "Hola");
}

TEST(OllamaStream, KnowsFaultsFromAnswers) {
    EXPECT_EQ(told<OllamaStream>(test::ollama_line("a") + R"({"error":"out of memory"})"), "told: out of memory");
    EXPECT_EQ(told<OllamaStream>(test::ollama_line("a")), "breaks off");
    EXPECT_EQ(told<OllamaStream>(""), "breaks off");
    EXPECT_EQ(told<OllamaStream>("{\"message\":"), "no stream");
    EXPECT_EQ(told<OllamaStream>("{}"), "no stream");
    EXPECT_EQ(told<OllamaStream>(std::string(60, '[') + "\n"), "no stream");
    EXPECT_EQ(told<OllamaStream>(std::string(LlmStream::most_line_bytes + 1, ' ')), "too large");
    EXPECT_EQ(told<OllamaStream>(ollama({std::string(LlmStream::most_answer_bytes + 1, 'x')})), "too large");
    EXPECT_EQ(told<OllamaStream>(ollama({std::string(LlmStream::most_answer_bytes, 'x')})).size(),
              LlmStream::most_answer_bytes);
}

TEST(OllamaStream, TakesFieldsOfAnotherTypeForAbsent) {
    EXPECT_EQ(told<OllamaStream>(R"({"message":{"content":7},"done":"no","eval_count":-1})"
                                 "\n" +
                                 ollama({"a"})),
              "a");
    OllamaStream stream{{}};
    stream.take(R"({"message":{"content":"a"},"done":true,"prompt_eval_count":"x","eval_count":1e99})"
                "\n");
    EXPECT_TRUE(stream.is_done());
    EXPECT_EQ(stream.reply().prompt_tokens + stream.reply().answer_tokens, 0U);
}

TEST(OpenaiStream, ReadsEventsHoweverTheyAreCut) {
    const std::string bytes = ": comment\n\nevent: x\r\nid: 3\n" + test::openai_event("Ho") +
                              test::openai_event("la 😀") + "data: [DONE]\n\n";
    for (const std::size_t size : {1U, 3U, 11U, 10'000U})
        EXPECT_EQ(told<OpenaiStream>(bytes, size), "Hola 😀") << size;
}

TEST(OpenaiStream, JoinsTheLinesOfAnEvent) {
    EXPECT_EQ(told<OpenaiStream>("data: {\"choices\":\ndata: [{\"delta\":{\"content\":\"a\"}}]}\n\ndata:[DONE]\n\n"),
              "a");
}

TEST(OpenaiStream, TakesAnAnswerThatSaidWhyItEndsForWhole) {
    const std::string reason = R"(data: {"choices":[{"delta":{},"finish_reason":"stop"}]})";
    EXPECT_EQ(told<OpenaiStream>(test::openai_event("a") + reason + "\n\n"), "a");
    EXPECT_EQ(told<OpenaiStream>(test::openai_event("a") + reason), "a");
    EXPECT_EQ(told<OpenaiStream>(test::openai_event("a")), "breaks off");
}

TEST(OpenaiStream, LeavesOutThoughts) {
    const std::string thought = R"(data: {"choices":[{"delta":{"content":null,"reasoning_content":"uno"}}]})";
    EXPECT_EQ(told<OpenaiStream>(thought + "\n\n" + test::openai_event("a") + "data: [DONE]\n\n"), "a");
}

TEST(OpenaiStream, KnowsFaultsFromAnswers) {
    EXPECT_EQ(told<OpenaiStream>("data: {\"error\":{\"message\":\"overloaded\"}}\n\n"), "told: overloaded");
    EXPECT_EQ(told<OpenaiStream>(R"({"choices":[{"message":{"content":"a"}}]})"), "no stream");
    EXPECT_EQ(told<OpenaiStream>("data: {\n\n"), "no stream");
    EXPECT_EQ(told<OpenaiStream>("<html>\n"), "no stream");
    std::string long_event;
    for (int i = 0; i < 3; ++i)
        long_event += "data: " + std::string(LlmStream::most_line_bytes / 2, 'x') + "\n";
    EXPECT_EQ(told<OpenaiStream>(long_event), "too large");
}

TEST(ErrorWords, AreWhatTheServerSaysFitToBeShown) {
    EXPECT_EQ(error_words(R"({"error":"a"})"), "a");
    EXPECT_EQ(error_words(R"({"error":{"message":"b"}})"), "b");
    EXPECT_EQ(error_words(R"({"detail":"c"})"), "c");
    EXPECT_EQ(error_words("line\nend"), "line\\x0aend");
    EXPECT_LE(error_words(std::string(10'000, 'x')).size(), 300U);
}

RC_GTEST_PROP(ThinkFilterProperty, GivesTheSameHoweverTheTextIsCut, ()) {
    const auto parts = *rc::gen::container<std::vector<std::string>>(
        rc::gen::element<std::string>("<think>", "</think>", "<", "<th", "</", "think>", " ", "a", "é", "\n"));
    std::string text;
    for (const std::string& part : parts)
        text += part;
    const auto filtered = [&](std::size_t size) {
        ThinkFilter filter;
        std::string shown;
        for (std::size_t at = 0; at < text.size(); at += size) {
            const std::string more = filter.take(std::string_view{text}.substr(at, size));
            if (filter.drops_what_was_given()) shown.clear();
            shown += more;
        }
        return shown + filter.finish();
    };
    RC_ASSERT(filtered(*rc::gen::inRange<std::size_t>(1, 9)) == filtered(text.size() + 1));
}

}  // namespace
}  // namespace decant::chat::detail
