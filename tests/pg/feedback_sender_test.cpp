// Feedback to a LangSmith that fails at some of it, or wants to be left alone.

#include "trace/feedback_sender.hpp"

#include <mutex>

#include "tests/support/eventually.hpp"
#include "tests/support/langsmith_server.hpp"
#include "tests/support/schema_case.hpp"
#include "tests/support/trace_case.hpp"
#include "trace/trace_store.hpp"

namespace decant::test {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;
using Clock = std::chrono::steady_clock;

class FeedbackSenderTest : public testing::Test {
protected:
    /// Of a request whose run LangSmith has; the last one is the newest.
    void give(const std::string& comment) {
        const std::string request = "r-" + comment;
        const trace::Record record = trace::record_of(small_trace(request), 1);
        trace::TraceStore store{{.conninfo = with_.decant().conninfo(), .keeps_texts = true}};
        EXPECT_EQ(store.deliver(runs_of(record), {}).outcome, trace::Outcome::delivered);
        EXPECT_EQ(trace::LangSmithSink{langsmith_at(langsmith_.url())}.deliver(runs_of(record), {}).outcome,
                  trace::Outcome::delivered);
        with_.open().query(
            "INSERT INTO decant.feedback (subject, subject_id, caller, score, comment) VALUES ('run', $1, 'ana', 1, "
            "$2)",
            {request, comment});
    }
    /// Of so many requests whose runs it does not have.
    void give_unknown(int count) {
        with_.open().query(
            "INSERT INTO decant.trace_runs (id, trace_id, request_id, name, run_type, started_at, milliseconds, "
            "inputs, "
            "outputs, metadata, tags, is_sampled, bytes) SELECT gen_random_uuid(), gen_random_uuid(), 'u-' || n, 'n', "
            "'chain', now(), 1, '{}', '{}', '{}', '{}', true, 1 FROM generate_series(1, $1::int) n",
            {std::to_string(count)});
        with_.open().query(
            "INSERT INTO decant.feedback (subject, subject_id, caller, score) SELECT 'run', 'u-' || n, 'ana', 1 "
            "FROM generate_series(1, $1::int) n",
            {std::to_string(count)});
    }
    /// What is answered to a feedback with `comment`, empty: to any; when each of them came is noted.
    void fail_at(const std::string& comment, StandInAnswer answer) {
        langsmith_.set_fault([=, this](const StandInRequest& request) -> std::optional<StandInAnswer> {
            if (request.target != "/feedback" || request.body.find(comment) == std::string::npos) return std::nullopt;
            const std::lock_guard lock{mutex_};
            times_.push_back(Clock::now());
            return answer;
        });
    }
    std::vector<Clock::time_point> times() {
        const std::lock_guard lock{mutex_};
        return times_;
    }
    bool comes_to(std::size_t feedbacks) {
        return eventually(20s, [&] { return langsmith_.feedback().size() == feedbacks; });
    }

    SchemaCase with_;
    std::mutex mutex_;
    std::vector<Clock::time_point> times_;
    LangSmithServer langsmith_;
};

TEST_F(FeedbackSenderTest, BringsOlderFeedbackPastTheNewestAtWhichLangSmithBreaks) {
    for (const char* comment : {"one", "two", "poison-1", "poison-2", "poison-3", "poison-4"})
        give(comment);
    fail_at("poison", {.status = 500});
    const trace::FeedbackSender sender{langsmith_at(langsmith_.url()), with_.decant().conninfo()};
    EXPECT_TRUE(comes_to(2));
    langsmith_.set_fault({});
    EXPECT_TRUE(comes_to(6));
    EXPECT_THAT(langsmith_.violations(), IsEmpty());
}

TEST_F(FeedbackSenderTest, BringsOlderFeedbackPastTheNewestThatAProxyDoesNotPass) {
    give("one");
    give("poison");
    fail_at("poison", {.status = 405});
    const trace::FeedbackSender sender{langsmith_at(langsmith_.url()), with_.decant().conninfo()};
    EXPECT_TRUE(comes_to(1));
    langsmith_.set_fault({});
    EXPECT_TRUE(comes_to(2));
}

TEST_F(FeedbackSenderTest, BringsOlderFeedbackPastTheNewestWhoseRunsLangSmithDoesNotHave) {
    give("known");
    give_unknown(120);
    const trace::FeedbackSender sender{langsmith_at(langsmith_.url()), with_.decant().conninfo()};
    EXPECT_TRUE(comes_to(1));
    EXPECT_THAT(langsmith_.violations(), IsEmpty());
}

TEST_F(FeedbackSenderTest, WaitsAsLongAsLangSmithAsksWhateverIsNew) {
    give("first");
    fail_at("", {.status = 429, .headers = {"Retry-After: 2"}});
    trace::FeedbackSender sender{langsmith_at(langsmith_.url()), with_.decant().conninfo()};
    ASSERT_TRUE(eventually(20s, [&] { return !times().empty(); }));
    give("second");
    EXPECT_TRUE(eventually(20s, [&] {
        sender.look();
        return times().size() == 2;
    }));
    EXPECT_GE(times().at(1) - times().at(0), 2s);
}

TEST_F(FeedbackSenderTest, AsksALangSmithThatIsAwayOnceInAWhileHoweverMuchWaits) {
    give_unknown(200);
    fail_at("", {.status = 503});
    const auto start = Clock::now();
    const trace::FeedbackSender sender{langsmith_at(langsmith_.url()), with_.decant().conninfo()};
    EXPECT_TRUE(eventually(20s, [&] { return times().size() >= 6; }));
    EXPECT_GE(Clock::now() - start, 1s) << "three at once, then one after each pause";
}

}  // namespace
}  // namespace decant::test
