// Spans become runs: ids, dotted orders, times.

#include "trace/run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/error.hpp"
#include "tests/support/trace_case.hpp"

namespace decant::trace {
namespace {

using test::small_trace;
using test::time_at;
using testing::HasSubstr;
using testing::StartsWith;

TEST(TraceRecord, HasDottedOrdersThatEndWithTheRunAndGoOnFromItsParent) {
    const Record record = record_of(small_trace(), 1);
    ASSERT_EQ(record.runs.size(), 3U);
    const trace::Run& root = record.runs.front();
    EXPECT_EQ(root.dotted_order, "20251128T100000000000Z" + root.id);
    EXPECT_EQ(root.trace_id, root.id);
    EXPECT_EQ(root.request_id, "r-1");
    for (const trace::Run& child : {record.runs[1], record.runs[2]}) {
        EXPECT_EQ(child.parent_id, root.id);
        EXPECT_EQ(child.trace_id, root.id);
        EXPECT_EQ(child.dotted_order, root.dotted_order + "." + dotted_text(child.start) + child.id);
        EXPECT_EQ(child.request_id, "");
    }
}

TEST(TraceRecord, HasIdsOfVersion7WhoseFirstHalvesDifferWithinATrace) {
    Trace trace = small_trace();
    trace.children.assign(200, trace.children.front());
    std::set<std::string> halves;
    for (const trace::Run& run : record_of(std::move(trace), 1).runs) {
        EXPECT_EQ(run.id[14], '7');
        EXPECT_THAT(std::string{"89ab"}, HasSubstr(run.id.substr(19, 1)));
        EXPECT_THAT(run.id, StartsWith(run.start == time_at(0) ? "019ac9e7-c100" : "019ac9e7-c102"));
        halves.insert(run.id.substr(0, 18));
    }
    EXPECT_EQ(halves.size(), 201U);
}

TEST(TraceRecord, LetsNoChildStartBeforeItsParentOrEndAfterIt) {
    Trace trace = small_trace();
    trace.children[0].start = time_at(-5);
    trace.children[1].end = time_at(1000);
    trace.children[1].first_token = time_at(900);
    const Record record = record_of(std::move(trace), 1);
    EXPECT_EQ(record.runs[1].start, time_at(0));
    EXPECT_EQ(record.runs[2].end, time_at(40));
    EXPECT_EQ(record.runs[2].first_token, time_at(40));
}

TEST(TraceRecord, GoesOnInTheTraceOfItsCallerAlsoWhereThatClockIsAhead) {
    const std::string caller = "20251128T100000250000Z019acafe-0000-7000-8000-000000000001";
    Trace trace = small_trace();
    trace.caller.dotted_order = caller;
    trace.caller.metadata = {{"strategy", "forged"}, {"shop", 7}};
    trace.caller.tags = {"arm-b"};
    trace.caller.project = "theirs";
    const Record record = record_of(std::move(trace), 1);
    const trace::Run& root = record.runs.front();
    EXPECT_EQ(root.trace_id, "019acafe-0000-7000-8000-000000000001");
    EXPECT_EQ(root.parent_id, root.trace_id);
    EXPECT_EQ(root.dotted_order, caller + ".20251128T100000250000Z" + root.id);
    EXPECT_EQ(record.runs[1].start, time_at(252)) << "all moved by as much";
    EXPECT_EQ(root.metadata, R"({"strategy":"pgvector","shop":7})");
    EXPECT_THAT(root.tags, testing::ElementsAre("arm-b"));
    EXPECT_EQ(record.runs[2].project, "theirs");
}

TEST(TraceRecord, BeginsATraceWhereTheCallersLiesInTheFuture) {
    Trace trace = small_trace();
    trace.caller.dotted_order = "20991128T100000250000Z019acafe-0000-7000-8000-000000000001";
    EXPECT_EQ(record_of(std::move(trace), 1).runs.front().parent_id, "");
}

TEST(TraceRecord, IsSampledAsOftenAsItIsAskedForAndByItsTraceAlone) {
    int sampled = 0;
    for (int i = 0; i < 4000; ++i) {
        const Record record = record_of(small_trace(), 0.25);
        EXPECT_EQ(record.is_sampled, share_of(record.runs.back().trace_id) < 0.25);
        sampled += record.is_sampled ? 1 : 0;
    }
    EXPECT_NEAR(sampled, 1000, 150);  // 5.5 standard deviations
    EXPECT_TRUE(record_of(small_trace(), 1).is_sampled);
    EXPECT_FALSE(record_of(small_trace(), 0).is_sampled);
}

TEST(TraceRecord, HoldsNoCharacterThatPostgresqlDoesNot) {
    const Record record = record_of(small_trace("r", std::string{"a\0b", 3}), 1);
    EXPECT_EQ(record.runs.front().inputs, R"({"query":"a b"})");
}

TEST(TraceRecord, ComesBackFromItsLine) {
    Trace trace = small_trace();
    trace.tags = {"a", "b"};
    trace.root.error = "timed_out: \"late\"\n";
    trace.children.front().first_token = time_at(5);
    trace.caller.otel_trace_id = std::string(32, 'a');
    for (const trace::Run& run : record_of(std::move(trace), 1).runs) {
        const trace::Run read = read_line(line_of(run));
        EXPECT_EQ(line_of(read), line_of(run));
        EXPECT_EQ(read.first_token, run.first_token);
        EXPECT_EQ(read.tags, run.tags);
        EXPECT_EQ(read.start, run.start);
    }
    for (const char* line : {"", "{", "[]", R"({"id":7})"})
        EXPECT_THROW(read_line(line), Error) << line;
}

}  // namespace
}  // namespace decant::trace
