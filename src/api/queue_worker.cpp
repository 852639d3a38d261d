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

QueueWorker::QueueWorker(std::string conninfo, QueryEmbedder& embedder)
    : conninfo_(std::move(conninfo)),
      embedder_(embedder),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void QueueWorker::run(const std::stop_token& stop) const {
    const auto note = [](const std::string& line) { log::warning("{}", printable(line)); };
    const work::WorkerRun worker{.conninfo = conninfo_,
                                 .setup = {.batch_size = batch_size, .seed = std::random_device{}(), .note = note},
                                 .stop = stop,
                                 .embedder = [this]() -> embed::Embedder& {
                                     embedder_.require();
                                     return embedder_;
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
