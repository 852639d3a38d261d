#include "api/queue_worker.hpp"

#include <random>

#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/log.hpp"
#include "core/utf8.hpp"
#include "work/run_worker.hpp"

namespace decant::api {
namespace {

/// The embedded model takes about a second for so many: that long a drain waits for it.
constexpr std::size_t batch_size = 32;
constexpr std::chrono::minutes pause_after_failure{1};

}  // namespace

QueueWorker::QueueWorker(std::string conninfo, QueryEmbedders& embedders)
    : conninfo_(std::move(conninfo)),
      embedders_(embedders),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void QueueWorker::run(const std::stop_token& stop) const {
    const auto note = [](const std::string& line) { log::warning("{}", printable(line)); };
    std::vector<std::shared_ptr<QueryEmbedder>> held;  // one that was given is used until the next is asked for
    const work::WorkerRun worker{.conninfo = conninfo_,
                                 .setup = {.batch_size = batch_size, .seed = std::random_device{}(), .note = note},
                                 .stop = stop,
                                 .embedder_of = [&](const auto& column) -> embed::Embedder& {
                                     auto embedder = embedders_.of(column);
                                     embedder->require();
                                     if (held.empty() || held.back() != embedder) held.push_back(embedder);
                                     if (held.size() > 2) held.erase(held.begin());
                                     return *embedder;
                                 }};
    do {
        try {
            work::run_worker(worker);
        } catch (const Error& error) {
            note("products are not embedded for now: " + error.happened() + ". " + error.remedy());
        }
    } while (sleep_unless_interrupted(pause_after_failure, stop));
}

}  // namespace decant::api
