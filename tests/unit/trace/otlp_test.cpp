// Runs as spans of OpenTelemetry, read back with a decoder of the test's own.

#include "trace/otlp.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <map>

#include "core/error.hpp"
#include "tests/support/http_stand_in.hpp"
#include "tests/support/trace_case.hpp"

namespace decant::trace {
namespace {

using test::runs_of;
using test::small_trace;
using testing::Contains;
using testing::HasSubstr;
using testing::Key;
using testing::Not;
using testing::Pair;

/// One message of Protocol Buffers: its fields by number, in their order.
struct Fields {
    std::multimap<std::uint64_t, std::string> bytes;
    std::multimap<std::uint64_t, std::uint64_t> numbers;

    std::vector<std::string> all(std::uint64_t field) const {
        std::vector<std::string> found;
        for (auto [at, end] = bytes.equal_range(field); at != end; ++at)
            found.push_back(at->second);
        return found;
    }
    std::string one(std::uint64_t field) const { return bytes.contains(field) ? bytes.find(field)->second : ""; }
    std::uint64_t number(std::uint64_t field) const {
        return numbers.contains(field) ? numbers.find(field)->second : 0;
    }
};

Fields decoded(const std::string& message) {
    Fields fields;
    std::size_t at = 0;
    const auto varint = [&] {
        std::uint64_t number = 0;
        for (unsigned shift = 0;; shift += 7) {
            const auto byte = static_cast<unsigned char>(message.at(at++));
            number |= std::uint64_t{byte & 0x7fU} << shift;
            if (byte < 0x80) return number;
        }
    };
    while (at < message.size()) {
        const std::uint64_t tag = varint();
        switch (tag & 7U) {
            case 0:
                fields.numbers.emplace(tag >> 3U, varint());
                break;
            case 1: {
                std::uint64_t number = 0;
                for (unsigned i = 0; i < 8; ++i)
                    number |= std::uint64_t{static_cast<unsigned char>(message.at(at++))} << (8 * i);
                fields.numbers.emplace(tag >> 3U, number);
                break;
            }
            case 2: {
                const std::uint64_t size = varint();
                fields.bytes.emplace(tag >> 3U, message.substr(at, size));
                at += size;
                break;
            }
            default:
                throw std::runtime_error("another wire type");
        }
    }
    return fields;
}

using Attributes = std::map<std::string, std::string>;

Attributes attributes_of(const std::vector<std::string>& pairs) {
    Attributes all;
    for (const std::string& pair : pairs) {
        const Fields fields = decoded(pair);
        const Fields value = decoded(fields.one(2));
        std::string text = value.one(1);
        if (value.numbers.contains(2)) text = value.number(2) == 1 ? "true" : "false";
        if (value.numbers.contains(3)) text = std::to_string(value.number(3));
        if (value.numbers.contains(4)) text = fmt::format("{}", std::bit_cast<double>(value.number(4)));
        all[fields.one(1)] = text;
    }
    return all;
}

struct Sent {
    std::vector<Fields> spans;
    Attributes resource;
    Attributes attributes(std::size_t span) const { return attributes_of(spans.at(span).all(9)); }
};

Sent sent(const Record& record, const detail::OtlpForm& form) {
    const Fields resource_spans = decoded(decoded(detail::otlp_body(runs_of(record), form)).one(1));
    Sent out{.spans = {}, .resource = attributes_of(decoded(resource_spans.one(1)).all(1))};
    for (const std::string& span : decoded(resource_spans.one(2)).all(2))
        out.spans.push_back(decoded(span));
    return out;
}

Trace chat_trace() {
    return {.root = {.name = "product_agent",
                     .start = test::time_at(0),
                     .end = test::time_at(900),
                     .metadata = {{"conversation_id", "c-1"}}},
            .children = {
                {.name = "answer",
                 .type = RunType::llm,
                 .start = test::time_at(100),
                 .end = test::time_at(900),
                 .inputs = {{"messages", json::array{json::object{{"role", "user"}, {"content", "hola"}}}}},
                 .outputs = {{"messages", json::array{json::object{{"role", "assistant"}, {"content", "Buenas"}}}}},
                 .metadata = {{"ls_provider", "ollama"},
                              {"ls_model_name", "qwen3:4b"},
                              {"ls_temperature", 0.0},
                              {"usage_metadata", {{"input_tokens", 30}, {"output_tokens", 7}}}},
                 .first_token = test::time_at(350)}}};
}

std::string hex_of(const std::string& bytes) {
    std::string out;
    for (const char c : bytes)
        out += fmt::format("{:02x}", static_cast<unsigned char>(c));
    return out;
}

std::string digits_of(std::string id) {
    std::erase(id, '-');
    return id;
}

TEST(OtlpBody, NamesTheTraceByItsUuidAndSpansByTheFirstHalvesOfTheirs) {
    const Record record = record_of(small_trace(), 1);
    const Sent out = sent(record, {.version = "1.2"});
    ASSERT_EQ(out.spans.size(), 3U);
    EXPECT_EQ(out.resource, (Attributes{{"service.name", "decant"}, {"service.version", "1.2"}}));
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(hex_of(out.spans[i].one(1)), digits_of(record.runs[0].id));
        EXPECT_EQ(hex_of(out.spans[i].one(2)), digits_of(record.runs[i].id).substr(0, 16));
        EXPECT_EQ(hex_of(out.spans[i].one(4)), i == 0 ? "" : digits_of(record.runs[0].id).substr(0, 16));
        EXPECT_EQ(out.spans[i].number(7),
                  1000U * static_cast<unsigned long>(record.runs[i].start.time_since_epoch().count()));
        EXPECT_EQ(out.spans[i].number(8),
                  1000U * static_cast<unsigned long>(record.runs[i].end.time_since_epoch().count()));
        EXPECT_THAT(out.attributes(i), Contains(Pair("langsmith.span.dotted_order", record.runs[i].dotted_order)));
    }
    EXPECT_THAT(out.attributes(1), Contains(Pair("langsmith.span.parent_id", record.runs[0].id)));
    EXPECT_EQ(out.spans[1].one(5), "embeddings multilingual-e5-small");
}

TEST(OtlpBody, GoesOnInTheTraceOfATraceparent) {
    Trace trace = small_trace();
    trace.caller.otel_trace_id = "0af7651916cd43dd8448eb211c80319c";
    trace.caller.otel_span_id = "b7ad6b7169203331";
    const Sent out = sent(record_of(std::move(trace), 1), {});
    for (const Fields& span : out.spans)
        EXPECT_EQ(hex_of(span.one(1)), "0af7651916cd43dd8448eb211c80319c");
    EXPECT_EQ(hex_of(out.spans[0].one(4)), "b7ad6b7169203331");
    EXPECT_EQ(out.spans[1].one(4), out.spans[0].one(2));
}

TEST(OtlpBody, HasTheNamesOfGenerativeAi) {
    const Sent out = sent(record_of(chat_trace(), 1), {});
    EXPECT_EQ(out.spans[0].one(5), "invoke_agent product_agent");
    EXPECT_EQ(out.spans[1].one(5), "chat qwen3:4b");
    EXPECT_EQ(out.spans[1].number(6), 3U) << "a client";
    const Attributes llm = out.attributes(1);
    for (const auto& [name, value] : Attributes{{"gen_ai.operation.name", "chat"},
                                                {"gen_ai.provider.name", "ollama"},
                                                {"gen_ai.system", "ollama"},
                                                {"gen_ai.request.model", "qwen3:4b"},
                                                {"gen_ai.response.model", "qwen3:4b"},
                                                {"gen_ai.request.temperature", "0"},
                                                {"gen_ai.usage.input_tokens", "30"},
                                                {"gen_ai.usage.output_tokens", "7"},
                                                {"gen_ai.response.time_to_first_chunk", "0.25"},
                                                {"langsmith.span.kind", "llm"}})
        EXPECT_THAT(llm, Contains(Pair(name, value)));
    EXPECT_THAT(out.attributes(0), Contains(Pair("gen_ai.conversation.id", "c-1")));
}

TEST(OtlpBody, HasContentOnlyWhereItIsAskedFor) {
    const Record chat = record_of(chat_trace(), 1);
    EXPECT_THAT(detail::otlp_body(runs_of(chat), {}), Not(HasSubstr("Buenas")));
    const Attributes llm = sent(chat, {.has_content = true}).attributes(1);
    EXPECT_EQ(llm.at("gen_ai.output.messages"),
              R"([{"role":"assistant","parts":[{"type":"text","content":"Buenas"}]}])");
    EXPECT_EQ(llm.at("input.value"), R"({"messages":[{"role":"user","content":"hola"}]})");
    const Record search = record_of(small_trace(), 1);
    EXPECT_THAT(detail::otlp_body(runs_of(search), {}), Not(HasSubstr("Taladro")));
    const Attributes retriever = sent(search, {.has_content = true}).attributes(2);
    EXPECT_EQ(retriever.at("retrieval.documents.0.document.content"), "Taladro");
    EXPECT_EQ(retriever.at("retrieval.documents.0.document.metadata"), R"({"score":0.8})");
}

TEST(OtlpBody, HidesMetadataWhereItIsToldTo) {
    const Record chat = record_of(chat_trace(), 1);
    EXPECT_THAT(detail::otlp_body(runs_of(chat), {}), HasSubstr("c-1"));
    const std::string hidden = detail::otlp_body(runs_of(chat), {.hides_metadata = true});
    for (const std::string_view held : {"c-1", "langsmith.metadata", "qwen3:4b", "gen_ai.usage"})
        EXPECT_THAT(hidden, Not(HasSubstr(std::string{held})));
}

TEST(OtlpBody, TellsAnErrorAsStatusAndEvent) {
    Trace trace = small_trace();
    trace.root.error = "timed_out: late";
    const Sent out = sent(record_of(std::move(trace), 1), {});
    EXPECT_THAT(out.attributes(0), Contains(Pair("error.type", "timed_out")));
    const Fields status = decoded(out.spans[0].one(15));
    EXPECT_EQ(status.number(3), 2U);
    EXPECT_EQ(status.one(2), "timed_out: late");
    const Fields event = decoded(out.spans[0].one(11));
    EXPECT_EQ(event.one(2), "exception");
    EXPECT_THAT(attributes_of(event.all(3)), Contains(Pair("exception.message", "timed_out: late")));
    EXPECT_THAT(out.spans[1].bytes, Not(Contains(Key(15U))));
}

TEST(OtlpSink, PostsToTheCollectorWithItsHeaders) {
    std::string body;
    test::HttpStandIn collector{[&](const test::StandInRequest& request) {
        body = request.body;
        return test::StandInAnswer{.headers = {"Content-Type: application/x-protobuf"}};
    }};
    const auto setup = otlp_setup(Settings::from({}, {{"OTEL_EXPORTER_OTLP_ENDPOINT", collector.url()},
                                                      {"OTEL_EXPORTER_OTLP_HEADERS", "x-api-key=a%20b, other=1"}}),
                                  "1");
    ASSERT_TRUE(setup);
    OtlpSink sink{*setup};
    const Record record = record_of(small_trace(), 1);
    EXPECT_EQ(sink.deliver(runs_of(record), {}).outcome, Outcome::delivered);
    const test::StandInRequest request = collector.requests().at(0);
    EXPECT_EQ(request.target, "/v1/traces");
    EXPECT_EQ(request.headers.at("content-type"), "application/x-protobuf");
    EXPECT_EQ(request.headers.at("x-api-key"), "a b");
    EXPECT_EQ(request.headers.at("other"), "1");
    EXPECT_EQ(body, detail::otlp_body(runs_of(record), setup->form));
}

TEST(OtlpSink, SaysWhatEachAnswerMeansForTheSpans) {
    for (const auto& [status, outcome] : {std::pair{200, Outcome::delivered},
                                          {400, Outcome::refused},
                                          {401, Outcome::forbidden},
                                          {404, Outcome::later},
                                          {429, Outcome::later},
                                          {503, Outcome::later}}) {
        test::HttpStandIn collector{
            [answered = status](const auto&) { return test::StandInAnswer{.status = answered}; }};
        OtlpSink sink{{.url = net::parse_url(collector.url(), "URL"), .form = {}}};
        const Record record = record_of(small_trace(), 1);
        EXPECT_EQ(sink.deliver(runs_of(record), {}).outcome, outcome) << status;
    }
}

TEST(OtlpSink, LosesOnlyTheSpanThatIsRefused) {
    for (const int status : {400, 413, 422}) {
        std::size_t taken = 0;
        test::HttpStandIn collector{[&](const test::StandInRequest& request) {
            if (request.body.find("too much") != std::string::npos) return test::StandInAnswer{.status = status};
            taken += decoded(decoded(decoded(request.body).one(1)).one(2)).all(2).size();
            return test::StandInAnswer{};
        }};
        OtlpSink sink{{.url = net::parse_url(collector.url(), "URL"), .form = {}}};
        Record record = record_of(chat_trace(), 1);
        for (const trace::Run& run : record_of(small_trace(), 1).runs)
            record.runs.push_back(run);
        record.runs[3].error = "too much";
        const Delivery delivery = sink.deliver(runs_of(record), {});
        EXPECT_EQ(delivery.outcome, Outcome::refused) << status;
        EXPECT_EQ(delivery.refused_runs, 1U);
        EXPECT_EQ(taken, 4U);
    }
}

TEST(OtlpSink, SendsNoMoreBytesAtOnceThanItMay) {
    test::HttpStandIn collector{[](const auto&) { return test::StandInAnswer{}; }};
    OtlpSink sink{{.url = net::parse_url(collector.url(), "URL"), .form = {.has_content = true}}};
    Record record = record_of(small_trace(), 1);
    for (trace::Run& run : record.runs)
        run.inputs = R"({"query":")" + std::string(1'500'000, 'x') + R"("})";
    EXPECT_EQ(sink.deliver(runs_of(record), {}).outcome, Outcome::delivered);
    ASSERT_EQ(collector.requests().size(), 2U);
    for (const test::StandInRequest& request : collector.requests())
        EXPECT_LT(request.body.size(), sink.limits().bytes);
}

TEST(OtlpSettings, RefuseHeadersThatAreNone) {
    EXPECT_FALSE(otlp_setup(Settings::from({}, {}), "1"));
    EXPECT_THROW(otlp_setup(Settings::from({}, {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1"},
                                                {"OTEL_EXPORTER_OTLP_HEADERS", "key"}}),
                            "1"),
                 Error);
}

}  // namespace
}  // namespace decant::trace
