// What of a caller's headers becomes part of a trace.

#include "trace/caller.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace decant::trace {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::string root_id = "019acafe-0000-7000-8000-000000000001";
const std::string child_id = "019acafe-0000-7000-8000-000000000002";
const std::string root = "20251128T100000000000Z" + root_id;
const std::string child = root + ".20251128T100000500000Z" + child_id;

TEST(Caller, JoinsTheTraceOfADottedOrder) {
    const std::optional<ParentRun> parent = parse_dotted_order(child);
    ASSERT_TRUE(parent);
    EXPECT_EQ(parent->trace_id, root_id);
    EXPECT_EQ(parent->id, child_id);
    EXPECT_EQ(dotted_text(parent->start), "20251128T100000500000Z");
    EXPECT_EQ(read_caller({.langsmith_trace = child}).dotted_order, child);
}

TEST(Caller, TakesNoDottedOrderThatIsNone) {
    for (const std::string& text :
         {std::string{}, root_id, root + ".", "." + root, root + "." + root_id, root.substr(1), root + "x",
          "20251328T100000000000Z" + root_id, "2025112 T100000000000Z" + root_id,
          child + ".20251128T100000499999Z" + root_id /* before its parent */})
        EXPECT_FALSE(parse_dotted_order(text)) << text;
    std::string deep = root;
    for (int i = 0; i < 60; ++i)
        deep += "." + root;
    EXPECT_FALSE(parse_dotted_order(deep));
}

TEST(Caller, TakesMetadataTagsAndProjectOfTheBaggage) {
    const Caller caller =
        read_caller({.langsmith_trace = root,
                     .baggage = "other=1, langsmith-metadata=%7B%22shop%22%3A7%2C%22vip%22%3Atrue%7D;p=1"
                                ",langsmith-tags=a%2Cb,langsmith-project=shop%20two"});
    EXPECT_EQ(caller.metadata, (json::object{{"shop", 7}, {"vip", true}}));
    EXPECT_THAT(caller.tags, ElementsAre("a", "b"));
    EXPECT_EQ(caller.project, "shop two");
}

TEST(Caller, DropsWhatWouldHaveTracesSentElsewhere) {
    const Caller caller = read_caller(
        {.langsmith_trace = root,
         .baggage = "langsmith-replicas=%5B%7B%22api_url%22%3A%22http%3A%2F%2Fevil%22%7D%5D,langsmith-metadata="
                    "%7B%22LANGSMITH_ENDPOINT%22%3A%22http%3A%2F%2Fevil%22%2C%22api_url%22%3A%22x%22%2C%22Api-Key%22"
                    "%3A%22k%22%2C%22deep%22%3A%7B%7D%2C%22ok%22%3A1%7D"});
    EXPECT_EQ(caller.metadata, (json::object{{"ok", 1}}));
    EXPECT_THAT(caller.tags, IsEmpty());
}

TEST(Caller, TakesNoBaggageWithoutATraceNorWhatIsNoMetadata) {
    EXPECT_EQ(read_caller({.baggage = "langsmith-project=shop"}).project, "");
    for (const char* baggage : {"langsmith-metadata=%7B", "langsmith-metadata=[1]", "langsmith-metadata", "=,;=,%",
                                "langsmith-metadata=%7B%22a%22%3Anull%7D"})
        EXPECT_THAT(read_caller({.langsmith_trace = root, .baggage = baggage}).metadata, IsEmpty()) << baggage;
    const std::string many = "langsmith-tags=" + std::string(4000, ',') + "langsmith-project=" + std::string(300, 'x');
    EXPECT_EQ(read_caller({.langsmith_trace = root, .baggage = many}).project, "");
}

TEST(Caller, ReadsTheTraceparentOfOpenTelemetry) {
    const Caller caller = read_caller({.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"});
    EXPECT_EQ(caller.otel_trace_id, "0af7651916cd43dd8448eb211c80319c");
    EXPECT_EQ(caller.otel_span_id, "b7ad6b7169203331");
    for (const char* text : {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
                             "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                             "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                             "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"})
        EXPECT_EQ(read_caller({.traceparent = text}).otel_trace_id, "") << text;
}

}  // namespace
}  // namespace decant::trace
