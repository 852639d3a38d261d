#include "api/quality_watch.hpp"

#include <condition_variable>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/utf8.hpp"
#include "pg/cut_on_stop.hpp"
#include "pg/held_lock.hpp"

namespace decant::api {
namespace {

/// Of several servers one probes.
constexpr std::string_view turn_sql = "SELECT pg_try_advisory_xact_lock(hashtextextended('decant quality probe', 0))";

}  // namespace

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
    read(subject);
    if (is_probe_due() && probe(subject, stop)) read(subject);
}

void QualityWatch::read(const quality::QualitySubject& subject) {
    quality::QualityReport report = quality::read_quality(*db_, store::MetricsRange::hour, subject);
    const std::lock_guard lock{mutex_};
    report_ = std::move(report);
}

bool QualityWatch::is_probe_due() {
    if (setup_.probe_interval.count() == 0 || std::chrono::steady_clock::now() < next_probe_) return false;
    const std::optional<store::QualityProbe> newest = store::newest_probe(*db_);
    return !newest || newest->age_seconds >= std::chrono::duration<double>(setup_.probe_interval).count();
}

/// One that fails takes nothing from what is known, and is not tried again at once: it is not cheap.
bool QualityWatch::probe(const quality::QualitySubject& subject, const std::stop_token& stop) {
    try {
        pg::HeldLock turn{setup_.conninfo, turn_sql};
        return turn.is_held() &&
               quality::probe_if_due(*db_,
                                     {.model = subject.model,
                                      .least_age_seconds = std::chrono::duration<double>(setup_.probe_interval).count(),
                                      .may_go_on = [&stop] { return !stop.stop_requested(); }});
    } catch (const Error& error) {
        if (stop.stop_requested()) return false;
        log::warning("the index's recall cannot be measured, trying again in {} minutes: {}",
                     setup_.probe_interval.count(), printable(error.happened()));
        next_probe_ = std::chrono::steady_clock::now() + setup_.probe_interval;
        return false;
    }
}

std::optional<quality::QualityReport> QualityWatch::report() const {
    const std::lock_guard lock{mutex_};
    return report_;
}

}  // namespace decant::api
