#pragma once

#include <chrono>
#include <string>
#include <thread>

#include "core/settings.hpp"
#include "operate/maintenance.hpp"
#include "operate/maintenance_runs.hpp"

namespace decant::api {

/// Does what is due of the catalog's upkeep at the hours of the schedule, from a thread of its own: one run a time of
/// the schedule over all servers. What it did is told in the log and stands in decant.maintenance_runs. What fails is
/// tried again at the next time.
class MaintenanceDuty {
public:
    struct Setup {
        operate::MaintenanceSetup maintenance;
        operate::MaintenanceHours hours = {};                               ///< none: nothing is done
        std::chrono::milliseconds look_interval = std::chrono::minutes{1};  ///< at the clock
        std::string since = "now";  ///< before any run, earlier times count for nothing
    };

    explicit MaintenanceDuty(Setup setup);
    /// DECANT_MAINTENANCE_HOURS. Throws Error{config_invalid}.
    static operate::MaintenanceHours read_hours(const Settings& settings);

    /// Does not wait for the end: what is under way is cancelled.
    void stop() { thread_.request_stop(); }

private:
    void run(const std::stop_token& stop);
    void look(const std::stop_token& stop);

    Setup setup_;
    std::jthread thread_;  ///< last: it uses the others
};

}  // namespace decant::api
