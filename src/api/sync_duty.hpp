#pragma once

#include <optional>
#include <string>
#include <thread>

#include "core/settings.hpp"
#include "sync/scheduler.hpp"

namespace decant::api {

/// Syncs with DUX in the server: at the hours of the schedule where DUX_SYNC_ENABLED, and when somebody asks for one.
/// What a sync did is told in the log and stands in decant.sync_runs.
class SyncDuty {
public:
    /// `is_on` false: as where DUX is not set up. Throws Error{config_invalid}.
    SyncDuty(const Settings& settings, const std::string& conninfo, bool is_on = true);

    /// None: syncs do not begin by themselves.
    const std::optional<sync::Schedule>& schedule() const noexcept { return schedule_; }
    bool is_configured() const noexcept { return is_configured_; }

    /// Any thread. Throws Error{conflict} where DUX is not set up, Error{busy} where a sync of this process runs.
    void ask(bool is_full);

    /// Does not wait for the end: what is under way stops at its next page and is gone on with later.
    void stop() { thread_.request_stop(); }

private:
    std::optional<sync::Schedule> schedule_;
    bool is_configured_;
    sync::Scheduler scheduler_;
    std::jthread thread_;  ///< last: it uses the others
};

}  // namespace decant::api
