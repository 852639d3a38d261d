#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "store/job_queue.hpp"
#include "work/breaker.hpp"
#include "work/product_embedder.hpp"

namespace decant::work {

struct WorkerSetup {
    std::size_t batch_size = 64;                        ///< products a transaction
    std::optional<std::int64_t> batch = {};             ///< jobs of this batch only
    int most_attempts = 5;                              ///< of a text that the model refuses
    bool accepts_other_model = false;                   ///< see ProductEmbedder::check_model
    std::uint64_t seed = 0;                             ///< of the pauses between attempts
    store::JobQueue::Clock clock = {};                  ///< for tests
    std::function<void(std::int64_t)> on_lease = {};    ///< told the token before the model is called, 0 after
    std::function<void(const std::string&)> note = {};  ///< gets what a person should know, a line
};

struct WorkerCounts {
    std::uint64_t embedded = 0;
    std::uint64_t skipped = 0;  ///< nothing was to do
    std::uint64_t again = 0;    ///< put back: changed or locked meanwhile
    std::uint64_t failed = 0;   ///< attempts
    std::uint64_t dead = 0;     ///< of these, the last one
    std::uint64_t lost = 0;     ///< another worker took them over
    std::uint64_t cut = 0;      ///< texts longer than the model takes

    WorkerCounts& operator+=(const WorkerCounts& other) noexcept;
};

/// Takes jobs, has their products embedded and stores the vectors and the end of the jobs in one transaction, which
/// holds only what the lease still holds. One thread; several workers share a queue.
class Worker {
public:
    /// All must outlive this. Throws as ProductEmbedder and JobQueue::require.
    Worker(pg::Connection& db, embed::Embedder& embedder, WorkerSetup setup);

    /// Loads the model too. Else the first embed() does both.
    void check_model();

    // A turn is these three, in this order.
    /// False when nothing is due.
    bool claim(std::size_t limit);
    /// True when the model was there and answered, false when nothing had to be asked. Throws what the model throws
    /// about itself; the jobs are given back with no attempt charged. After that a product that is alone is sent only
    /// when the model has answered to a fixed text: that it then fails is the product's fault, and charged to it.
    bool embed();
    /// When it throws, the jobs are given back, and so are those that a kill leaves once their lease has run out.
    WorkerCounts store();

private:
    struct Ends;
    void give_back();
    WorkerCounts commit_all();
    WorkerCounts commit(const std::vector<std::string>& products);
    void end_job(const store::Job& job, const ProductResult& result, Ends& ends);
    WorkerCounts bury_refused(const std::string& product, const std::string& reason);

    pg::Connection& db_;
    WorkerSetup setup_;
    store::JobQueue queue_;
    ProductEmbedder embedder_;
    store::Lease lease_;
    bool is_model_checked_ = false;
    bool has_model_failed_ = false;  ///< when it was asked last
    std::mt19937_64 random_;
};

}  // namespace decant::work
