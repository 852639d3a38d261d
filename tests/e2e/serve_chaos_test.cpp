#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <thread>

#include "tests/support/eventually.hpp"
#include "tests/support/llm_server.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/search_load.hpp"
#include "tests/support/serve_case.hpp"
#include "tests/support/standby_pair.hpp"

namespace decant::test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using testing::AnyOf;
using testing::HasSubstr;

double seconds_between(Clock::time_point start, Clock::time_point end) {
    return std::chrono::duration<double>(end - start).count();
}

double seconds_since(Clock::time_point start) {
    return seconds_between(start, Clock::now());
}

/// What this share of them does not exceed. Other work on the machine may hold up single ones.
double share_of(std::vector<double> milliseconds, double share) {
    std::ranges::sort(milliseconds);
    return milliseconds.at(static_cast<std::size_t>(share * static_cast<double>(milliseconds.size() - 1)));
}

int rounds_of(const char* variable, int unset) {
    const char* given = std::getenv(variable);
    return given == nullptr ? unset : std::stoi(given);
}

/// Streams of chat answers by an LLM that takes its time, each read to its end by a thread.
class ChatStreams {
public:
    ChatStreams(std::uint16_t port, std::size_t count) : bodies_(count) {
        for (std::size_t number = 0; number < count; ++number)
            readers_.emplace_back([this, port, number] { read(port, number); });
    }
    ChatStreams(const ChatStreams&) = delete;
    ChatStreams& operator=(const ChatStreams&) = delete;
    ~ChatStreams() { wait(); }

    std::size_t begun() const noexcept { return begun_; }
    /// All that came on each of them.
    const std::vector<std::string>& wait() {
        for (std::thread& reader : readers_)
            reader.join();
        readers_.clear();
        return bodies_;
    }

private:
    void read(std::uint16_t port, std::size_t number) {
        RawClient client{port};
        const std::string body =
            fmt::format(R"({{"message": "busco algo de audio, modelo {}", "user_id": "u{}"}})", number, number);
        client.send(json_post("/api/v1/chat/message/stream", body, false));
        bodies_[number] = client.read(1'000'000);
        ++begun_;
        bodies_[number] += client.read_to_end();
    }

    std::atomic<std::size_t> begun_{0};
    std::vector<std::string> bodies_;
    std::vector<std::thread> readers_;
};

class ServeChaos : public testing::Test {
protected:
    ServeChaos() {
        // Each answer takes about a second: a word every 50 ms.
        llm_.set_fault([this](const StandInRequest&) -> std::optional<StandInAnswer> {
            StandInAnswer answer{.headers = {"Content-Type: text/event-stream"}, .chunk_pause = 50ms};
            for (int word = 0; word < words_; ++word)
                answer.chunks.push_back(openai_event("hola "));
            answer.chunks.emplace_back("data: [DONE]\n\n");
            return answer;
        });
    }

    ServedDecant serve_with_llm() {
        return with_.serve({"DECANT_LLM=openai", "DECANT_LLM_MODEL=qwen3:4b", "OPENAI_BASE_URL=" + llm_.openai_url()});
    }

    /// SIGTERM under load; how long the end took.
    double end_under_load() {
        ServedDecant server = serve_with_llm();
        SearchLoad load{server.port(), 8};
        ChatStreams streams{server.port(), 4};
        EXPECT_TRUE(eventually(20s, [&] { return load.answered() > 100 && streams.begun() == 4; }));
        server.process().signal(SIGTERM);
        const auto start = Clock::now();
        const Outcome outcome = server.process().wait();
        const double seconds = seconds_since(start);
        EXPECT_EQ(outcome.exit_code, 0) << outcome.told();
        for (const LoadSample& sample : load.wait()) {
            EXPECT_EQ(sample.status, 200)
                << "after " << sample.milliseconds << " ms, " << seconds_between(start, sample.end)
                << " s after SIGTERM" << (sample.is_first ? ", on a new connection" : "") << sample.body;
            if (sample.status == 200) ++answered_;
        }
        for (const std::string& stream : streams.wait())
            EXPECT_THAT(stream, AnyOf(HasSubstr("event: shutdown"), HasSubstr(R"("event_type":"complete")")));
        return seconds;
    }

    void end_under_load_times(int rounds) {
        double longest = 0;
        for (int round = 0; round < rounds && !HasFailure(); ++round)
            longest = std::max(longest, end_under_load());
        EXPECT_LE(longest, 10.0);
        fmt::print("{} times SIGTERM under load: {} searches answered, none failed; the end took at most {:.2f} s\n",
                   rounds, answered_, longest);
    }

    int words_ = 20;
    std::size_t answered_ = 0;
    ServeCase with_;
    LlmServer llm_{always({"hola"})};
};

TEST_F(ServeChaos, H1_SigtermUnderLoadFailsNoRequest) {
    end_under_load_times(3);
}

TEST_F(ServeChaos, H12_ASessionIsFreeHalfAMinuteAfterItsServerWasKilled) {
    words_ = 10'000;
    ServedDecant server = serve_with_llm();
    ChatStreams streams{server.port(), 1};
    const auto is_busy = [&] {
        return with_.catalog().value("SELECT count(*) FROM decant.chat_sessions WHERE turn_until > now()") == "1";
    };
    ASSERT_TRUE(eventually(20s, is_busy));
    server.process().signal(SIGKILL);
    server.process().wait();
    streams.wait();
    EXPECT_TRUE(is_busy());
    EXPECT_EQ(with_.catalog().value("SELECT turn_until < now() + interval '31 s' FROM decant.chat_sessions"), "t");
}

TEST_F(ServeChaos, H2_ASecondSigtermEndsItAtOnce) {
    words_ = 10'000;
    ServedDecant server = serve_with_llm();
    ChatStreams streams{server.port(), 1};
    ASSERT_TRUE(eventually(20s, [&] { return streams.begun() == 1; }));
    server.process().signal(SIGTERM);
    ASSERT_TRUE(eventually(5s, [&] { return server.process().err().find("stopping") != std::string::npos; }));
    server.process().signal(SIGTERM);
    const auto start = Clock::now();
    EXPECT_EQ(server.process().wait().exit_code, 128 + SIGTERM);
    EXPECT_LE(seconds_since(start), 1.0);
}

using LongChaosServe = ServeChaos;

/// SIGTERM_ROUNDS (50) says how often.
TEST_F(LongChaosServe, H1_SigtermUnderLoadManyTimes) {
    end_under_load_times(rounds_of("SIGTERM_ROUNDS", 50));
}

TEST_F(LongChaosServe, H1_AStreamThatDoesNotEndIsToldAndCutInTime) {
    words_ = 10'000;
    ServedDecant server = serve_with_llm();
    ChatStreams streams{server.port(), 2};
    ASSERT_TRUE(eventually(20s, [&] { return streams.begun() == 2; }));
    server.process().signal(SIGTERM);
    const auto start = Clock::now();
    EXPECT_EQ(server.process().wait().exit_code, 0);
    EXPECT_LE(seconds_since(start), 10.0);
    for (const std::string& stream : streams.wait())
        EXPECT_THAT(stream, HasSubstr("event: shutdown\nretry: 1000\n"));
}

struct Outage {
    std::vector<double> refusals = {};  ///< their milliseconds
    double recovery_seconds = 0;        ///< from the server's readiness to the first good answer
};

/// One restart of PostgreSQL under load.
Outage restart_under_load(ThrowawayCluster& cluster, const ServedDecant& server, ThrowawayCluster::Stop mode) {
    SearchLoad load{server.port(), 8};
    EXPECT_TRUE(eventually(20s, [&] { return load.answered() > 100; }));
    cluster.restart(mode);
    const auto ready = Clock::now();
    const std::size_t before = load.answered();
    EXPECT_TRUE(eventually(20s, [&] { return load.answered() > before + 50; }));
    Outage outage{.recovery_seconds = 1e9};
    for (const LoadSample& sample : load.stop()) {
        if (sample.status == 200) {
            if (sample.end > ready)
                outage.recovery_seconds =
                    std::min(outage.recovery_seconds, std::chrono::duration<double>(sample.end - ready).count());
            continue;
        }
        EXPECT_EQ(sample.status, 503) << sample.body;
        EXPECT_TRUE(sample.is_problem);
        outage.refusals.push_back(sample.milliseconds);
    }
    return outage;
}

void restart_many_times(int rounds) {
    ThrowawayCluster cluster;
    const ServeCase with{cluster};
    const ServedDecant server = with.serve();
    Outage all;
    for (int round = 0; round < rounds && !testing::Test::HasFailure(); ++round) {
        const auto mode = round % 2 == 0 ? ThrowawayCluster::Stop::fast : ThrowawayCluster::Stop::immediate;
        const Outage outage = restart_under_load(cluster, server, mode);
        all.refusals.insert(all.refusals.end(), outage.refusals.begin(), outage.refusals.end());
        all.recovery_seconds = std::max(all.recovery_seconds, outage.recovery_seconds);
    }
    ASSERT_FALSE(all.refusals.empty());
    EXPECT_LE(share_of(all.refusals, 0.95), 250);
    EXPECT_LE(all.recovery_seconds, 5.0);
    fmt::print(
        "PostgreSQL restarted {} times under load: {} searches refused with 503, the slowest in {:.0f} ms; the first "
        "good answer at most {:.2f} s after it was ready\n",
        rounds, all.refusals.size(), share_of(all.refusals, 1), all.recovery_seconds);
}

TEST(ServeDatabaseChaos, H11_SearchesAreRefusedAtOnceWhilePostgresqlRestartsAndAnsweredSoonAfter) {
    restart_many_times(3);
}

/// POSTGRES_ROUNDS (20) says how often.
TEST(LongChaosServeDatabase, H11_PostgresqlRestartedUnderLoadManyTimes) {
    restart_many_times(rounds_of("POSTGRES_ROUNDS", 20));
}

TEST(ServeEmbedderChaos, E1_SearchesAreAnsweredByWordsWhenTheEmbedderIsGone) {
    ServeCase with;
    const ServedDecant server = with.serve();
    SearchLoad before{server.port(), 4};
    ASSERT_TRUE(eventually(20s, [&] { return before.answered() > 20; }));
    for (const LoadSample& sample : before.stop())
        ASSERT_EQ(sample.status, 200);
    with.stop_ollama();
    std::vector<double> milliseconds;
    std::size_t degraded = 0;
    for (int number = 0; number < 100; ++number) {
        RawClient client{server.port()};
        const auto start = Clock::now();
        client.send(json_post("/api/v1/pgvector/search", fmt::format(R"({{"query": "producto otro {}"}})", number)));
        const auto answer = client.read_answer();
        milliseconds.push_back(1e3 * seconds_since(start));
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->status, 200) << answer->body;
        if (answer->body.find(R"("degraded":true)") != std::string::npos) ++degraded;
    }
    EXPECT_EQ(degraded, 100U);
    EXPECT_LE(share_of(milliseconds, 0.5), 300);
    fmt::print("The embedder gone: 100 searches answered by words, the slowest in {:.0f} ms\n",
               share_of(milliseconds, 1));
}

TEST(LongServeEnd, IsInTimeWhereTheDatabaseStandsStill) {
    ThrowawayCluster cluster;
    const ServeCase with{cluster};
    ServedDecant server = with.serve();
    {
        SearchLoad load{server.port(), 2};
        EXPECT_TRUE(eventually(20s, [&] { return load.answered() > 20; }));
        signal_all(cluster, SIGSTOP);
        server.process().signal(SIGTERM);
        const auto start = Clock::now();
        const bool has_ended = eventually(15s, [&] { return server.process().has_ended(); });
        const double seconds = seconds_since(start);
        signal_all(cluster, SIGCONT);
        EXPECT_TRUE(has_ended) << server.process().err();
        fmt::print("SIGTERM beside a database that stands still: the end took {:.2f} s\n", seconds);
        if (!has_ended) server.process().signal(SIGKILL);
    }
}

}  // namespace
}  // namespace decant::test
