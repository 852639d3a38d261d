#include "api/quality_watch.hpp"

#include <condition_variable>

#include "core/error.hpp"
#include "core/log.hpp"
#include "pg/cut_on_stop.hpp"

namespace decant::api {

QualityWatch::QualityWatch(QualityWatchSetup setup)
    : setup_(std::move(setup)), thread_([this](const std::stop_token& stop) { run(stop); }) {}

void QualityWatch::run(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock{mutex};
    while (!stop.stop_requested()) {
        try {
            look(stop);
        } catch (const Error& error) {
            // Whoever asks for the figures sees that there are none.
            log::debug("the search's quality cannot be told for now: {}", error.happened());
            db_.reset();
            const std::lock_guard figures{mutex_};
            report_.reset();
        }
        never.wait_for(lock, stop, setup_.interval, [] { return false; });
    }
}

void QualityWatch::look(const std::stop_token& stop) {
    if (!db_) db_.emplace(pg::Connection::open(setup_.conninfo));
    const pg::CutOnStop cut{*db_, stop};
    const quality::QualitySubject subject = setup_.subject();
    if (setup_.probe_interval.count() > 0) {
        quality::probe_if_due(*db_, {.model = subject.model,
                                     .least_age_seconds = std::chrono::duration<double>(setup_.probe_interval).count(),
                                     .may_go_on = [&stop] { return !stop.stop_requested(); }});
    }
    quality::QualityReport report = quality::read_quality(*db_, store::MetricsRange::hour, subject);
    const std::lock_guard lock{mutex_};
    report_ = std::move(report);
}

std::optional<quality::QualityReport> QualityWatch::report() const {
    const std::lock_guard lock{mutex_};
    return report_;
}

}  // namespace decant::api
