#include "api/retention.hpp"

#include <condition_variable>
#include <mutex>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/utf8.hpp"

namespace decant::api {

Retention::Retention(std::string conninfo, std::vector<Retained> retained, std::chrono::milliseconds interval)
    : conninfo_(std::move(conninfo)),
      retained_(std::move(retained)),
      interval_(interval),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void Retention::run(const std::stop_token& stop) const {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock{mutex};
    do {
        prune_all(stop);
    } while (!never.wait_for(lock, stop, interval_, [] { return false; }) && !stop.stop_requested());
}

void Retention::prune_all(const std::stop_token& stop) const {
    for (const Retained& kind : retained_) {
        if (stop.stop_requested()) return;
        try {
            pg::Connection db = pg::Connection::open(conninfo_);
            const std::uint64_t removed = kind.prune(db);
            if (removed > 0) log::info("removed {} {} that were kept long enough", removed, kind.name);
        } catch (const Error& error) {
            log::warning("old {} could not be removed, trying again later: {}", kind.name, printable(error.happened()));
        }
    }
}

}  // namespace decant::api
