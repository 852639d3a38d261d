#include "api/catalog_figures.hpp"

#include <condition_variable>

#include "core/error.hpp"
#include "store/embedding_statistics.hpp"
#include "store/job_queue.hpp"

namespace decant::api {
namespace {

using namespace std::chrono_literals;

constexpr auto interval = 10s;
constexpr int rounds_a_product_count = 3;

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
            rounds_ = 0;
            const std::lock_guard figures{mutex_};
            jobs_.reset();
            products_.reset();
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
    if (rounds_++ % rounds_a_product_count == 0) read_products();
}

void CatalogFigures::read_products() {
    const store::EmbeddingStatistics statistics = store::read_embedding_statistics(*db_, model_());
    const std::lock_guard lock{mutex_};
    products_ = {.with_embedding = statistics.with_embedding,
                 .without_embedding = statistics.without_embedding(),
                 .stale = statistics.stale};
}

std::optional<ServerState::Jobs> CatalogFigures::jobs() const {
    const std::lock_guard lock{mutex_};
    return jobs_;
}

std::optional<ServerState::Products> CatalogFigures::products() const {
    const std::lock_guard lock{mutex_};
    return products_;
}

}  // namespace decant::api
