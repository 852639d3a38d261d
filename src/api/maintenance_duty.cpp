#include "api/maintenance_duty.hpp"

#include <condition_variable>
#include <mutex>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/utf8.hpp"
#include "sync/schedule.hpp"

namespace decant::api {
namespace {

constexpr std::string_view time_sql = "SELECT $1::timestamptz";

void tell(const std::vector<operate::UpkeepTask>& tasks) {
    for (const operate::UpkeepTask& task : tasks) {
        const std::string_view name = operate::upkeep_names[task.kind];
        if (task.state == operate::UpkeepState::failed)
            log::warning("maintenance: {} of {} failed: {}", name, task.object, printable(task.outcome));
        else if (task.state == operate::UpkeepState::done && task.kind != operate::Upkeep::prune)
            log::info("maintenance: {} of {}, {:.1f} s ({}) {}", name, task.object, task.seconds, task.reason,
                      task.outcome);
    }
}

}  // namespace

MaintenanceDuty::MaintenanceDuty(Setup setup) : setup_(std::move(setup)) {
    if (!setup_.hours.hours.empty()) thread_ = std::jthread{[this](const std::stop_token& stop) { run(stop); }};
}

operate::MaintenanceHours MaintenanceDuty::read_hours(const Settings& settings) {
    if (settings.get("DECANT_MAINTENANCE_HOURS") == "none") return {};
    return {.hours = sync::read_hours(settings, "DECANT_MAINTENANCE_HOURS"), .zone = sync::read_zone(settings)};
}

void MaintenanceDuty::run(const std::stop_token& stop) {
    setup_.maintenance.stop = stop;
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock{mutex};
    do {
        try {
            look(stop);
        } catch (const Error& error) {
            // Another server does it, or the database is away or has no such tables: at the next look all may be well.
            log::debug("no maintenance for now: {}", error.happened());
        }
    } while (!never.wait_for(lock, stop, setup_.look_interval, [] { return false; }) && !stop.stop_requested());
}

void MaintenanceDuty::look(const std::stop_token& stop) {
    pg::Connection db = pg::Connection::open(setup_.maintenance.conninfo);
    // From the first look on it is a time and no word.
    setup_.since = db.query(time_sql, {setup_.since}).text(0, 0);
    const auto due = operate::due_maintenance(db, setup_.hours, setup_.since);
    if (!due || stop.stop_requested()) return;
    const operate::OperationLock lock{setup_.maintenance.conninfo, "maintain"};
    const auto run = operate::begin_maintenance_run(db, due);
    if (!run) return;
    log::info("maintenance: begun for {}", *due);
    std::vector<operate::UpkeepTask> tasks;
    try {
        tasks = operate::run_maintenance(setup_.maintenance, lock);
    } catch (const Error& error) {
        log::warning("maintenance: nothing was done for {}: {}", *due, printable(error.happened()));
        operate::fail_maintenance_run(db, *run, error);
        return;
    }
    operate::end_maintenance_run(db, *run, json_of(tasks));
    tell(tasks);
}

}  // namespace decant::api
