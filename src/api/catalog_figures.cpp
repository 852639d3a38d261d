#include "api/catalog_figures.hpp"

#include <chrono>
#include <condition_variable>

#include "api/problem.hpp"
#include "core/error.hpp"
#include "store/job_queue.hpp"

namespace decant::api {
namespace {

using namespace std::chrono_literals;

constexpr auto interval = 10s;
constexpr auto a_moment = 100ms;
constexpr int rounds_a_slow_count = 3;

}  // namespace

CatalogFigures::CatalogFigures(std::string conninfo, std::function<std::string()> model)
    : conninfo_(std::move(conninfo)),
      model_(std::move(model)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void CatalogFigures::run(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock{mutex};
    while (!stop.stop_requested()) {
        try {
            read();
        } catch (const Error&) {
            // Whoever asks for the figures sees that there are none.
            db_.reset();
            rounds_to_count_ = 0;
            const std::lock_guard figures{mutex_};
            jobs_.reset();
            count_.reset();
        }
        never.wait_for(lock, stop, interval, [] { return false; });
    }
}

void CatalogFigures::read() {
    if (!db_) db_.emplace(pg::Connection::open(conninfo_));
    const store::QueueCounts counts = store::JobQueue{*db_}.counts();
    {
        const std::lock_guard lock{mutex_};
        jobs_ = {.ready = counts.ready, .delayed = counts.delayed, .leased = counts.leased, .dead = counts.dead};
    }
    if (rounds_to_count_-- <= 0) count_products();
}

void CatalogFigures::count_products() {
    const auto start = std::chrono::steady_clock::now();
    CatalogCount count;
    count.counted_at = timestamp();
    {
        pg::Transaction tx{*db_, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"};
        count.statistics = store::read_embedding_statistics(*db_, model_());
        count.models = store::read_embeddings_by_model(*db_);
        tx.commit();
    }
    rounds_to_count_ = std::chrono::steady_clock::now() - start > a_moment ? rounds_a_slow_count - 1 : 0;
    const std::lock_guard lock{mutex_};
    count_ = std::move(count);
}

std::optional<ServerState::Jobs> CatalogFigures::jobs() const {
    const std::lock_guard lock{mutex_};
    return jobs_;
}

std::optional<ServerState::Products> CatalogFigures::products() const {
    const std::lock_guard lock{mutex_};
    if (!count_) return std::nullopt;
    const store::EmbeddingStatistics& statistics = count_->statistics;
    return ServerState::Products{.with_embedding = statistics.with_embedding,
                                 .without_embedding = statistics.without_embedding(),
                                 .stale = statistics.stale};
}

std::optional<CatalogCount> CatalogFigures::count() const {
    const std::lock_guard lock{mutex_};
    return count_;
}

}  // namespace decant::api
