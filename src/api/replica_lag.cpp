#include "api/replica_lag.hpp"

#include <algorithm>

namespace decant::api {
namespace {

/// An hour, at two a second.
constexpr std::size_t most_samples = 7'200;

}  // namespace

void PrimaryHistory::note(WalPosition position, Time at) {
    // Another timeline, after a failover.
    if (!samples_.empty() && position < samples_.back().position) samples_.clear();
    if (!samples_.empty() && position == samples_.back().position) {
        samples_.back().last_seen = at;
        return;
    }
    samples_.push_back({position, at});
    if (samples_.size() > most_samples) samples_.pop_front();
}

std::optional<ReplicaLag> PrimaryHistory::lag_of(WalPosition replayed, Time now) const {
    if (samples_.empty()) return std::nullopt;
    const WalPosition newest = samples_.back().position;
    if (replayed >= newest) return ReplicaLag{};
    ReplicaLag lag{.bytes = newest - replayed, .seconds = std::nullopt};
    const auto behind = std::ranges::upper_bound(samples_, replayed, {}, &Sample::position);
    if (behind != samples_.begin())
        lag.seconds = std::chrono::duration<double>(now - std::prev(behind)->last_seen).count();
    return lag;
}

bool is_near_enough(const ReplicaLag& lag, const LagLimits& limits, bool is_used) noexcept {
    const double share = is_used ? 1 : 0.5;
    return lag.seconds && static_cast<double>(lag.bytes) <= share * static_cast<double>(limits.bytes) &&
           *lag.seconds <= share * limits.seconds;
}

}  // namespace decant::api
