#include "work/run_worker.hpp"

#include <fmt/format.h>

#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "core/error.hpp"
#include "core/interrupt.hpp"

namespace decant::work {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto renew_interval = 3s;
/// Jobs whose pause is over, or that came in where LISTEN does not get through, are looked for so often.
constexpr auto poll_interval = 1s;
constexpr auto sweep_interval = 60s;
constexpr auto tell_interval = 60s;
constexpr int most_reconnects_once = 6;
/// What fails is taken in parts of this size until one product stands alone, before the breaker opens.
constexpr std::size_t parts_of_failed = 8;

/// Renews a lease from another thread, over a connection of its own, while the model works.
class LeaseKeeper {
public:
    explicit LeaseKeeper(std::string conninfo) : conninfo_(std::move(conninfo)) {}

    void keep(std::int64_t token) {
        {
            const std::lock_guard lock{mutex_};
            token_ = token;
        }
        changed_.notify_all();
    }

private:
    void run(const std::stop_token& stop) {
        std::optional<pg::Connection> db;
        std::unique_lock lock{mutex_};
        for (;;) {
            if (!changed_.wait(lock, stop, [&] { return token_ != 0; })) return;
            const std::int64_t token = token_;
            if (changed_.wait_for(lock, stop, renew_interval, [&] { return token_ != token; })) continue;
            if (stop.stop_requested()) return;
            lock.unlock();
            renew(db, token);
            lock.lock();
        }
    }

    /// A renewal that fails needs no telling: the commit finds out whether the jobs are still held.
    void renew(std::optional<pg::Connection>& db, std::int64_t token) const {
        try {
            if (!db) db.emplace(pg::Connection::open(conninfo_));
            store::JobQueue{*db}.renew(token);
        } catch (const Error&) {
            db.reset();
        }
    }

    std::string conninfo_;
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::int64_t token_ = 0;
    std::jthread thread_{[this](const std::stop_token& stop) { run(stop); }};
};

class Run {
public:
    explicit Run(const WorkerRun& run)
        : run_(run),
          limit_(run.setup.batch_size),
          breaker_(run.setup.seed),
          random_(run.setup.seed),
          keeper_(run.conninfo) {}

    WorkerCounts work() {
        while (!is_over()) {
            try {
                if (!sleep_until_next_try()) break;
                if (!worker_) open();
                if (!turn()) break;
                reconnects_ = 0;
            } catch (const Error& error) {
                if (error.code() == ErrorCode::cancelled && is_over()) break;
                recover(error);
            }
        }
        return counts_;
    }

private:
    bool is_over() const { return interrupted() || run_.stop.stop_requested(); }

    embed::Embedder& embedder() const { return run_.embedder_of ? run_.embedder_of(column_) : run_.embedder(); }

    void open() {
        is_at_model_ = false;
        db_ = std::make_unique<pg::Connection>(pg::Connection::open(run_.conninfo));
        store::JobQueue queue{*db_};
        queue.require();
        is_at_model_ = true;
        WorkerSetup setup = run_.setup;
        setup.on_lease = [this](std::int64_t token) { keeper_.keep(token); };
        column_ = store::read_column_model(*db_);
        auto worker = std::make_unique<Worker>(*db_, embedder(), setup);
        // Who waits for products has the model ready when they come.
        if (!run_.once) {
            worker->check_model();
            breaker_.succeeded();
        }
        db_->exec(fmt::format("LISTEN {}", store::JobQueue::channel));
        worker_ = std::move(worker);
    }

    /// False when the run is over.
    bool turn() {
        is_at_model_ = false;
        const auto now = Clock::now();
        if (run_.sweep && now >= next_sweep_) {
            store::JobQueue queue{*db_};
            queue.drop_fresh(embedder().model().name);
            queue.sweep();
            next_sweep_ = now + sweep_interval;
        }
        const bool probes = breaker_.state(now) == Breaker::State::half_open;
        if (!worker_->claim(probes ? 1 : limit_)) {
            if (run_.once) return false;
            db_->wait_for_notification(poll_interval);
            return true;
        }
        is_at_model_ = true;
        if (worker_->embed()) {
            breaker_.succeeded();
            limit_ = std::min(limit_ * 2, run_.setup.batch_size);
        }
        is_at_model_ = false;
        const WorkerCounts done = worker_->store();
        counts_ += done;
        if (run_.on_turn) run_.on_turn(done);
        return true;
    }

    void recover(const Error& error) {
        const bool is_store = error.code() == ErrorCode::store_unavailable ||
                              error.code() == ErrorCode::commit_in_doubt ||
                              (error.code() == ErrorCode::timed_out && !is_at_model_);
        if (!error.is_retryable()) throw error;
        if (error.code() == ErrorCode::source_changed) {
            keeper_.keep(0);
            worker_.reset();  // opened again with the model that the column has now
            note("the catalog's model was changed", error);
            return;
        }
        if (is_store) {
            keeper_.keep(0);
            worker_.reset();
            if (run_.once && ++reconnects_ > most_reconnects_once) throw error;
            note(error.code() == ErrorCode::timed_out ? "the database gave up, trying again" : "the database is away",
                 error);
            sleep_unless_interrupted(backoff(run_.once ? reconnects_ : 3, 200ms, 5s, random_), run_.stop);
            return;
        }
        breaker_.failed(Clock::now());
        limit_ = std::max<std::size_t>(limit_ / parts_of_failed, 1);
        const bool is_open = breaker_.state(Clock::now()) != Breaker::State::closed;
        if (is_open && run_.once) throw error;
        note(is_open ? "the embedder is away, its jobs wait" : "the embedder failed, trying again", error);
    }

    /// False when it is over.
    bool sleep_until_next_try() const {
        const auto pause = breaker_.next_try() - Clock::now();
        return pause <= 0s || sleep_unless_interrupted(std::chrono::ceil<std::chrono::milliseconds>(pause), run_.stop);
    }

    /// What stays as it is, is told once a minute.
    void note(const std::string& what, const Error& error) {
        std::string line = fmt::format("{}: {}", what, error.happened());
        const auto now = Clock::now();
        if (!run_.setup.note || (line == told_ && now < told_at_ + tell_interval)) return;
        run_.setup.note(line);
        told_ = std::move(line);
        told_at_ = now;
    }

    const WorkerRun& run_;
    std::size_t limit_;  ///< products of the next claim
    Breaker breaker_;
    std::mt19937_64 random_;
    LeaseKeeper keeper_;
    std::unique_ptr<pg::Connection> db_;
    std::optional<store::ColumnModel> column_;
    std::unique_ptr<Worker> worker_;
    Clock::time_point next_sweep_{};
    std::string told_;
    Clock::time_point told_at_{};
    int reconnects_ = 0;
    bool is_at_model_ = false;  ///< what times out is the model, not the database
    WorkerCounts counts_;
};

class SharedEmbedder final : public embed::Embedder {
public:
    explicit SharedEmbedder(embed::Embedder& inner) : inner_(inner) {}
    const embed::Model& model() const noexcept override { return inner_.model(); }
    std::vector<embed::TextVector> embed(std::span<const std::string_view> texts, embed::Role role) override {
        const std::lock_guard lock{mutex_};
        return inner_.embed(texts, role);
    }

private:
    embed::Embedder& inner_;
    std::mutex mutex_;
};

/// One of each column's model for all workers; those that were opened stay.
class SharedEmbedders {
public:
    explicit SharedEmbedders(const WorkerRun& run) : run_(run) {}
    embed::Embedder& of(const std::optional<store::ColumnModel>& column) {
        const std::lock_guard lock{mutex_};
        for (const auto& [known, embedder] : opened_)
            if (known == column || !run_.embedder_of) return *embedder;
        embed::Embedder& inner = run_.embedder_of ? run_.embedder_of(column) : run_.embedder();
        opened_.emplace_back(column, std::make_unique<SharedEmbedder>(inner));
        return *opened_.back().second;
    }

private:
    const WorkerRun& run_;
    std::mutex mutex_;
    std::vector<std::pair<std::optional<store::ColumnModel>, std::unique_ptr<SharedEmbedder>>> opened_;
};

}  // namespace

WorkerCounts run_worker(const WorkerRun& run) {
    return Run{run}.work();
}

WorkerCounts run_workers(const WorkerRun& run, std::size_t count) {
    SharedEmbedders embedders{run};
    std::mutex turns;
    WorkerRun each = run;
    each.embedder_of = [&](const auto& column) -> embed::Embedder& { return embedders.of(column); };
    each.on_turn = [&](const WorkerCounts& turn) {
        const std::lock_guard lock{turns};
        if (run.on_turn) run.on_turn(turn);
    };
    std::vector<std::future<WorkerCounts>> workers;
    for (; workers.size() < count; ++each.setup.seed)
        workers.push_back(std::async(std::launch::async, run_worker, each));
    WorkerCounts counts;
    for (std::future<WorkerCounts>& worker : workers)
        counts += worker.get();
    return counts;
}

}  // namespace decant::work
