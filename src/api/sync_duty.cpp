#include "api/sync_duty.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/utf8.hpp"
#include "sync/dux_client.hpp"
#include "sync/dux_sync.hpp"

namespace decant::api {
namespace {

std::optional<sync::Schedule> schedule_of(const Settings& settings) {
    if (!settings.is_on("DUX_SYNC_ENABLED")) return std::nullopt;
    sync::DuxSetup::from(settings);
    return sync::read_schedule(settings);
}

void sync_once(const Settings& settings, const std::string& conninfo, const sync::Scheduler::Wanted& wanted,
               const std::stop_token& stop) {
    const auto report = sync::sync_dux(settings, conninfo, {.full = wanted.is_full, .due_at = wanted.due}, stop);
    if (!report) return;  // another server keeps the same hours and was first
    const sync::SyncCounts& counts = report->end.counts;
    log::info("dux: run {} is {}: {} read, {} created, {} updated, {} deactivated, {} in quarantine", report->run,
              report->state, counts.read, counts.created, counts.updated, counts.deactivated, counts.quarantined);
    if (!report->error.empty()) log::warning("dux: {}", printable(report->error));
}

}  // namespace

SyncDuty::SyncDuty(const Settings& settings, const std::string& conninfo, bool is_on)
    : schedule_(is_on ? schedule_of(settings) : std::nullopt),
      is_configured_(is_on && settings.get("DUX_API_BASE_URL") && settings.get("DUX_API_KEY")),
      scheduler_({.conninfo = conninfo,
                  .schedule = schedule_,
                  .sync = [settings, conninfo](const sync::Scheduler::Wanted& wanted, const std::stop_token& stop) {
                      sync_once(settings, conninfo, wanted, stop);
                  }}) {
    if (is_configured_) thread_ = std::jthread{[this](const std::stop_token& stop) { scheduler_.run(stop); }};
}

void SyncDuty::ask(bool is_full) {
    if (!is_configured_) {
        throw Error{ErrorCode::conflict, "DUX is not set up on this server",
                    "Set DUX_API_BASE_URL and DUX_API_KEY and start it again."};
    }
    if (!scheduler_.ask(is_full))
        throw Error{ErrorCode::busy, "A sync is running already", "GET /api/v1/dux/sync/status shows it."};
}

}  // namespace decant::api
