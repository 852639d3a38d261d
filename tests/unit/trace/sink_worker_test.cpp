// What becomes of runs while their sink is away, slow, or will have none.

#include "trace/sink_worker.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <set>

#include "tests/support/eventually.hpp"
#include "tests/support/scratch_folder.hpp"
#include "tests/support/trace_case.hpp"

namespace decant::trace {
namespace {

using namespace std::chrono_literals;
using test::eventually;
using test::small_record;

/// Takes runs as the test says.
struct FakeSink : Sink {
    struct Log {
        std::atomic<Outcome> outcome{Outcome::delivered};
        std::atomic<bool> holds = false;         ///< until it is told to stop
        std::atomic<int> held_from = 1'000'000;  ///< this call and those after it, too
        std::atomic<int> calls = 0;
        std::atomic<std::size_t> largest = 0;
        std::mutex mutex;
        std::multiset<std::string> taken;
        std::string broken_by;  ///< a run, with which no other is taken

        std::size_t taken_count() {
            const std::lock_guard lock{mutex};
            return taken.size();
        }
    };
    explicit FakeSink(Log& told) : log(told) {}

    std::string_view name() const noexcept override { return "fake"; }
    BatchLimits limits() const noexcept override { return {.runs = 30}; }
    Delivery deliver(const Runs& runs, const std::stop_token& stop) override {
        const int call = ++log.calls;
        log.largest = std::max(log.largest.load(), runs.size());
        while ((log.holds || call >= log.held_from) && !stop.stop_requested())
            std::this_thread::yield();
        if (stop.stop_requested()) return {.outcome = Outcome::later, .reason = "stopped"};
        const Outcome outcome = log.outcome;
        if (outcome == Outcome::delivered) {
            const std::lock_guard lock{log.mutex};
            if (std::ranges::find(runs, log.broken_by, &trace::Run::id) != runs.end())
                return {.outcome = Outcome::later, .reason = "broken", .status = 500};
            for (const trace::Run* run : runs)
                log.taken.insert(run->id);
        }
        return {.outcome = outcome, .reason = "as the test says"};
    }
    Log& log;
};

class SinkWorkerTest : public testing::Test {
protected:
    ~SinkWorkerTest() override { std::filesystem::remove_all(folder_); }

    SinkSetup setup(bool has_spool = true) const {
        return {.spool = has_spool ? folder_ / "fake" : std::filesystem::path{},
                .linger = 1ms,
                .first_pause = 1ms,
                .longest_pause = 5ms};
    }

    /// No run is taken together with that one.
    void break_at(const std::string& run) {
        const std::lock_guard lock{log_.mutex};
        log_.broken_by = run;
    }

    /// Each run that was taken was taken once.
    void expect_once() {
        const std::lock_guard lock{log_.mutex};
        EXPECT_EQ((std::set<std::string>{log_.taken.begin(), log_.taken.end()}.size()), log_.taken.size());
    }

    std::filesystem::path folder_ = test::make_scratch_folder("trace");
    FakeSink::Log log_;
};

/// While it lives, the one file in `folder` is there and cannot be opened. Not for want of open files, of which the
/// checks of UndefinedBehaviorSanitizer need some.
class Unreadable {
public:
    explicit Unreadable(const std::filesystem::path& folder)
        : file_(std::filesystem::directory_iterator(folder)->path()), other_(folder / "other") {
        std::filesystem::create_symlink(file_.filename(), other_);
        exchange();  // it is a link to itself now
    }
    Unreadable(const Unreadable&) = delete;
    Unreadable& operator=(const Unreadable&) = delete;
    ~Unreadable() {
        exchange();
        std::filesystem::remove(other_);
    }

private:
    void exchange() const {
        EXPECT_EQ(renameat2(AT_FDCWD, file_.c_str(), AT_FDCWD, other_.c_str(), RENAME_EXCHANGE), 0);
    }
    std::filesystem::path file_;
    std::filesystem::path other_;
};

TEST_F(SinkWorkerTest, DeliversInBatchesOfWholeTraces) {
    SinkWorker worker{std::make_unique<FakeSink>(log_), setup()};
    for (int i = 0; i < 100; ++i)
        worker.push(small_record());
    EXPECT_TRUE(eventually(10s, [&] { return log_.taken_count() == 300; }));
    EXPECT_LE(log_.largest, 30U);
    EXPECT_TRUE(eventually(10s, [&] { return worker.counts().sent == 300; }));
    EXPECT_EQ(worker.counts().dropped, 0U);
}

TEST_F(SinkWorkerTest, KeepsOnTheDiskWhatFailsAndDeliversItOnceWhenTheSinkIsBack) {
    log_.outcome = Outcome::later;
    SinkWorker worker{std::make_unique<FakeSink>(log_), setup()};
    std::set<std::string> ids;
    for (int i = 0; i < 50; ++i) {
        const SharedRecord record = small_record();
        for (const trace::Run& run : record->runs)
            ids.insert(run.id);
        worker.push(record);
    }
    EXPECT_TRUE(eventually(10s, [&] { return worker.counts().spooled_bytes > 0; }));
    log_.outcome = Outcome::delivered;
    EXPECT_TRUE(eventually(10s, [&] { return log_.taken_count() == 150; }));
    EXPECT_EQ(log_.taken, std::multiset<std::string>(ids.begin(), ids.end()));
    EXPECT_TRUE(eventually(10s, [&] { return worker.counts().spooled_bytes == 0; }));
    EXPECT_EQ(worker.counts().dropped, 0U);
}

TEST_F(SinkWorkerTest, RefusesTheOneRunThatTheSinkBreaksAtAndDeliversAllOthers) {
    log_.outcome = Outcome::later;
    SinkWorker worker{std::make_unique<FakeSink>(log_), setup()};
    std::size_t pushed = 0;
    const auto push = [&](const SharedRecord& record) {
        worker.push(record);
        pushed += record->runs.size();
    };
    for (int i = 0; i < 50; ++i)
        push(small_record());
    const SharedRecord broken = small_record();
    push(broken);
    EXPECT_TRUE(eventually(10s, [&] { return worker.counts().spooled_bytes > 0; }));
    break_at(broken->runs[1].id);
    log_.outcome = Outcome::delivered;
    EXPECT_TRUE(eventually(20s, [&] {
        push(small_record());
        return worker.counts().refused == 1;
    }));
    EXPECT_TRUE(eventually(10s, [&] { return worker.counts().sent == pushed - 1; }));
    EXPECT_EQ(log_.taken_count(), pushed - 1);
    expect_once();
    EXPECT_TRUE(eventually(10s, [&] { return worker.counts().spooled_bytes == 0; }));
    EXPECT_EQ(worker.counts().refused, 1U);
}

TEST_F(SinkWorkerTest, SendsWhatIsNewPastAFileThatFailsAlone) {
    SinkSetup one_try = setup();
    one_try.first_pause = one_try.longest_pause = 20ms;
    const SharedRecord broken = small_record();
    log_.broken_by = broken->runs[0].id;
    SinkWorker worker{std::make_unique<FakeSink>(log_), one_try};
    worker.push(broken);
    EXPECT_TRUE(eventually(10s, [&] { return worker.counts().spooled_bytes > 0; }));
    worker.push(small_record());
    EXPECT_TRUE(eventually(10s, [&] { return log_.taken_count() == 3; }));
    EXPECT_EQ(worker.counts().refused, 0U);
}

TEST_F(SinkWorkerTest, LosesNothingWhileTheSinkIsAwayHoweverOftenItIsTried) {
    log_.outcome = Outcome::later;
    SinkWorker worker{std::make_unique<FakeSink>(log_), setup()};
    for (std::size_t outage = 1; outage <= 2; ++outage) {
        log_.outcome = Outcome::later;
        const int calls = log_.calls;
        EXPECT_TRUE(eventually(20s, [&] {
            if (log_.calls < calls + 40) worker.push(small_record());
            return log_.calls > calls + 80;
        }));
        log_.outcome = Outcome::delivered;
        EXPECT_TRUE(eventually(20s, [&] { return worker.counts().spooled_bytes + worker.counts().waiting == 0; }));
    }
    EXPECT_TRUE(eventually(10s, [&] { return worker.counts().sent == log_.taken_count(); }));
    EXPECT_EQ(worker.counts().refused + worker.counts().dropped, 0U);
    expect_once();
}

TEST_F(SinkWorkerTest, KeepsFilesThatCannotBeReadNow) {
    log_.outcome = Outcome::later;
    SinkWorker worker{std::make_unique<FakeSink>(log_), setup()};
    const SharedRecord stored = small_record();
    worker.push(stored);
    EXPECT_TRUE(eventually(10s, [&] { return worker.counts().spooled_bytes > 0; }));
    {
        const Unreadable file{folder_ / "fake"};
        break_at(stored->runs[0].id);  // it may have been read just before
        log_.outcome = Outcome::delivered;
        worker.push(small_record());
        EXPECT_TRUE(eventually(10s, [&] { return log_.taken_count() > 0; }));
        break_at("");
    }
    EXPECT_TRUE(eventually(10s, [&] { return log_.taken_count() == 6; }));
    EXPECT_EQ(worker.counts().dropped, 0U);
}

TEST_F(SinkWorkerTest, LeavesWhatWaitsToTheNextProcess) {
    log_.outcome = Outcome::later;
    {
        SinkWorker worker{std::make_unique<FakeSink>(log_), setup()};
        for (int i = 0; i < 50; ++i)
            worker.push(small_record());
    }
    log_.outcome = Outcome::delivered;
    SinkWorker next{std::make_unique<FakeSink>(log_), setup()};
    EXPECT_TRUE(eventually(10s, [&] { return log_.taken_count() == 150; }));
}

TEST_F(SinkWorkerTest, DropsTheOldestWhereThereIsNoRoomInMemory) {
    log_.holds = true;
    SinkSetup small = setup(false);
    small.most_runs = 90;
    SinkWorker worker{std::make_unique<FakeSink>(log_), small};
    for (int i = 0; i < 1000; ++i) {
        worker.push(small_record(std::to_string(i)));
        EXPECT_LE(worker.counts().waiting, 90U);
    }
    const SinkCounts counts = worker.counts();
    EXPECT_GE(counts.dropped, 3000U - 90 - 30);
    log_.holds = false;
    EXPECT_TRUE(eventually(10s, [&] { return worker.counts().sent + worker.counts().dropped == 3000; }));
}

TEST_F(SinkWorkerTest, MakesRoomForAllThatASlowDeliveryLetsWait) {
    log_.holds = true;
    log_.held_from = 2;
    SinkSetup slow = setup();
    slow.most_runs = 2'000;
    SinkWorker worker{std::make_unique<FakeSink>(log_), slow};
    for (int i = 0; i < 500; ++i)
        worker.push(small_record());
    EXPECT_TRUE(eventually(10s, [&] { return log_.calls == 1; }));
    log_.holds = false;
    EXPECT_TRUE(eventually(10s, [&] { return log_.calls == 2; }));
    EXPECT_LE(worker.counts().waiting, 300U);
    EXPECT_EQ(worker.counts().dropped, 0U);
}

TEST_F(SinkWorkerTest, HoldsNoMoreBytesThanItMay) {
    log_.holds = true;
    SinkSetup small = setup(false);
    small.most_bytes = 100'000;
    SinkWorker worker{std::make_unique<FakeSink>(log_), small};
    for (int i = 0; i < 100; ++i)
        worker.push(small_record("r", std::string(3000, 'x')));
    EXPECT_LE(worker.counts().waiting, 3U * 100'000 / 9'000) << "a trace has three runs and three times its text";
    EXPECT_GT(worker.counts().dropped, 200U);
}

TEST_F(SinkWorkerTest, DropsTheOldestFilesWhereThereIsNoRoomOnTheDisk) {
    log_.outcome = Outcome::later;
    SinkSetup small = setup();
    small.most_spooled = 40'000;
    SinkWorker worker{std::make_unique<FakeSink>(log_), small};
    for (int i = 0; i < 500; ++i)
        worker.push(small_record());
    worker.begin_end();
    worker.end(std::chrono::steady_clock::now() + 10s);
    const SinkCounts counts = worker.counts();
    EXPECT_LE(counts.spooled_bytes, 40'000U);
    EXPECT_GT(counts.dropped, 1000U);
}

TEST_F(SinkWorkerTest, SendsNothingMoreOnceItIsForbidden) {
    log_.outcome = Outcome::forbidden;
    SinkWorker worker{std::make_unique<FakeSink>(log_), setup()};
    worker.push(small_record());
    EXPECT_TRUE(eventually(10s, [&] { return worker.counts().is_forbidden; }));
    for (int i = 0; i < 10; ++i)
        worker.push(small_record());
    EXPECT_EQ(worker.counts().waiting, 0U);
    EXPECT_EQ(log_.calls, 1);
}

TEST_F(SinkWorkerTest, EndsInTimeWhateverTheSinkDoesAndLosesNothing) {
    log_.holds = true;
    SinkWorker worker{std::make_unique<FakeSink>(log_), setup()};
    for (int i = 0; i < 1000; ++i)
        worker.push(small_record());
    EXPECT_TRUE(eventually(10s, [&] { return log_.calls > 0; }));
    const auto start = std::chrono::steady_clock::now();
    worker.begin_end();
    worker.end(start + 100ms);
    EXPECT_LT(std::chrono::steady_clock::now() - start, 2s);
    log_.holds = false;
    SinkWorker next{std::make_unique<FakeSink>(log_), setup()};
    EXPECT_TRUE(eventually(20s, [&] { return log_.taken_count() == 3000; })) << log_.taken_count();
}

TEST_F(SinkWorkerTest, LeavesOutAFileThatCannotBeRead) {
    log_.outcome = Outcome::later;
    {
        SinkWorker worker{std::make_unique<FakeSink>(log_), setup()};
        worker.push(small_record());
    }
    std::filesystem::path file;
    for (const auto& entry : std::filesystem::directory_iterator{folder_ / "fake"})
        file = entry.path();
    std::filesystem::resize_file(file, 100);
    log_.outcome = Outcome::delivered;
    SinkWorker next{std::make_unique<FakeSink>(log_), setup()};
    next.push(small_record());
    EXPECT_TRUE(eventually(10s, [&] { return log_.taken_count() == 3; }));
    EXPECT_TRUE(eventually(10s, [&] { return std::filesystem::is_empty(folder_ / "fake"); }));
    EXPECT_TRUE(eventually(10s, [&] { return next.counts().dropped == 3; }));
}

}  // namespace
}  // namespace decant::trace
