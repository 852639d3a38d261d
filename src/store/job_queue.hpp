#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/enum_names.hpp"
#include "pg/connection.hpp"

namespace decant::store {

/// How much it takes for a product's vector to be made anew.
enum class Demand {
    stale,  ///< it is missing, marked or of another model
    text,   ///< also: it is not known to be of the text as it is
    all,    ///< always
};

struct Job {
    std::int64_t id = 0;
    std::string product_id;
    int attempts = 0;  ///< that failed so far
    Demand demand = Demand::stale;
    std::optional<std::int64_t> batch;
};

/// Jobs that one worker has for a time. `token` is what its commits are fenced with.
struct Lease {
    std::int64_t token = 0;
    std::vector<Job> jobs;
};

struct JobFailure {
    const Job& job;
    std::string reason;
    std::chrono::milliseconds pause;  ///< before the next attempt
    int most_attempts;                ///< this many make a dead letter of it
};

/// Which products are asked for.
struct ProductSelection {
    enum class Kind { missing, stale, all, ids };
    Kind kind = Kind::missing;
    std::vector<std::string> ids = {};  ///< or skus
    std::string model = {};             ///< another one in the row makes it stale
    Demand demand = Demand::stale;
    std::optional<std::uint64_t> batch_size = {};  ///< most of them that one transaction may store
};

struct JobBatch {
    enum class State { pending, running, completed, failed };

    std::int64_t id = 0;
    std::uint64_t total = 0;
    std::uint64_t updated = 0;
    std::uint64_t skipped = 0;
    std::uint64_t errors = 0;
    std::uint64_t waiting = 0;                             ///< still in the queue
    std::string created_at = {};                           ///< UTC, ISO 8601; only of recent_batches()
    std::optional<std::string> started_at = {};            ///< none: no worker has taken any yet
    std::optional<std::string> finished_at = {};           ///< only of recent_batches()
    std::optional<std::string> estimated_completion = {};  ///< by the rate so far, where something is done and waits

    /// failed: it is over and not one of its products got through.
    State state() const noexcept;
};
inline constexpr EnumNames<JobBatch::State, 4> batch_state_names{{"pending", "running", "completed", "failed"}};

struct QueueCounts {
    std::uint64_t ready = 0;
    std::uint64_t delayed = 0;  ///< wait for their next attempt
    std::uint64_t leased = 0;
    std::uint64_t dead = 0;
};

struct DeadLetter {
    std::string product_id;
    std::string name;  ///< empty: the product is gone
    int attempts = 0;
    std::string error;
    std::string failed_at;  ///< UTC
};

/// The queue of products to embed (migrations/002). Those who write products only ever insert into it; workers take
/// with SKIP LOCKED. Times are the database's.
class JobQueue {
public:
    /// A worker that says nothing for so long has lost its jobs.
    static constexpr std::chrono::seconds lease_time{10};
    /// Of LISTEN: told when jobs come in.
    static constexpr const char* channel = "decant_embedding_jobs";

    /// For tests, a clock in the place of the database's: what it gives is read as timestamptz.
    using Clock = std::function<std::string()>;

    explicit JobQueue(pg::Connection& db, Clock clock = {}) : db_(db), clock_(std::move(clock)) {}

    /// Throws Error{not_found} with the command that makes the queue where it does not exist as it is needed.
    void require();

    /// At most `limit` jobs that are due, oldest first; of `batch` alone if given.
    Lease claim(std::size_t limit, std::optional<std::int64_t> batch = {});
    /// False when none of its jobs is held any more.
    bool renew(std::int64_t token);
    /// Gives what is still held back, as if it had never been taken.
    void release(std::int64_t token);

    // In the transaction that stores the vectors:
    /// Those of `jobs` that the lease still holds, locked; nobody else can take them over now.
    std::vector<std::int64_t> hold(std::int64_t token, const std::vector<std::int64_t>& jobs);
    /// Done, whatever became of them; their products' dead letters go too.
    void remove(const std::vector<std::int64_t>& jobs);
    /// To be taken again after `pause`, with no attempt charged.
    void put_back(const std::vector<std::int64_t>& jobs, std::chrono::milliseconds pause);
    /// Charges an attempt; true when it was the last.
    bool fail(const JobFailure& failure);
    void count(std::int64_t batch, const JobBatch& delta);

    /// Forgets waiting jobs that have nothing to do: their product is gone, not active, or has a fresh vector of
    /// `model`. Nothing where there is no queue, or none that this role may write to.
    std::uint64_t drop_fresh(const std::string& model);
    /// Puts what a trigger could not see into the queue: active products without a vector or with a marked one that
    /// are neither in it nor dead. The number put.
    std::uint64_t sweep();
    /// A batch of its own, in the caller's transaction if there is one. Throws Error{not_found} naming ids that no
    /// product has.
    JobBatch enqueue(const ProductSelection& selection);
    std::optional<JobBatch> find_batch(std::int64_t id);
    /// The newest first. What waits of each is what its counts leave, so that the queue need not be counted.
    std::vector<JobBatch> recent_batches(std::uint64_t limit);
    /// How long all that is in the queue is likely to take.
    std::chrono::seconds estimate_wait();

    QueueCounts counts();
    std::vector<DeadLetter> dead_letters(std::uint64_t limit);
    /// Those of these products (all if empty) are queued again; their number.
    std::uint64_t retry(const std::vector<std::string>& products);
    /// Forgets dead letters; with `waiting` also every job that nobody holds. The number removed.
    std::uint64_t purge(bool waiting);

private:
    pg::Param now() const { return clock_ ? pg::Param{clock_()} : std::nullopt; }

    pg::Connection& db_;
    Clock clock_;
};

}  // namespace decant::store
