#include "api/retention.hpp"

#include <condition_variable>
#include <mutex>

#include "chat/session_store.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/utf8.hpp"
#include "operate/maintenance_runs.hpp"
#include "store/feedback_store.hpp"
#include "store/idempotency.hpp"
#include "store/quality_figures.hpp"
#include "store/search_events.hpp"
#include "trace/trace_store.hpp"

namespace decant::api {
namespace {

/// Of a setting that has a default and only takes numbers.
std::uint64_t number_of(const Settings& settings, std::string_view key) {
    return std::stoull(settings.get(key).value_or("0"));
}

}  // namespace

std::vector<Retained> retained_by(const Settings& settings) {
    const auto events_days = static_cast<int>(number_of(settings, "DECANT_EVENTS_RETENTION_DAYS"));
    const trace::TraceLimits traces{.days = static_cast<int>(number_of(settings, "DECANT_TRACE_RETENTION_DAYS")),
                                    .bytes = number_of(settings, "DECANT_TRACE_MAX_MB") << 20U};
    return {
        {.name = "quality probes", .prune = store::prune_probes},
        {.name = "runs of maintenance", .prune = operate::prune_maintenance_runs},
        {.name = "search events",
         .prune = [events_days](pg::Connection& db) { return store::prune_search_events(db, events_days); }},
        {.name = "feedback",
         .prune = [events_days](pg::Connection& db) { return store::prune_feedback(db, events_days); }},
        {.name = "idempotency keys", .prune = store::prune_idempotency_keys},
        {.name = "chat sessions",
         .prune = [chat_days = chat::retention_days(settings)](
                      pg::Connection& db) { return chat::SessionStore{db}.prune(chat_days); }},
        {.name = "steps of traces", .prune = [traces](pg::Connection& db) { return trace::prune_traces(db, traces); }}};
}

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
