#include "api/rate_limiter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace decant::api {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr nanoseconds window = 1min;

struct LimitSetting {
    RateClass kind;
    std::string_view key;
};
constexpr std::array limit_settings{LimitSetting{RateClass::search, "DECANT_RATE_SEARCH"},
                                    LimitSetting{RateClass::embedding, "DECANT_RATE_EMBEDDING"},
                                    LimitSetting{RateClass::batch, "DECANT_RATE_BATCH"},
                                    LimitSetting{RateClass::monitoring, "DECANT_RATE_MONITORING"},
                                    LimitSetting{RateClass::chat, "DECANT_RATE_CHAT"},
                                    LimitSetting{RateClass::failed_login, "DECANT_RATE_FAILED_LOGIN"}};

}  // namespace

RateLimits rate_limits(const Settings& settings) {
    RateLimits limits;
    for (const auto& [kind, key] : limit_settings) {
        const std::string text = settings.get(key).value_or("0");
        std::from_chars(text.data(), text.data() + text.size(),
                        limits[kind]);  // a number: the table of settings says so
    }
    return limits;
}

RateLimiter::Decision RateLimiter::take(RateClass kind, std::string_view caller, const Instant& now) {
    const std::scoped_lock lock{mutex_};
    const std::uint32_t limit = limits_[kind];
    if (limit == 0) return {};
    const nanoseconds cost = window / limit;
    Bucket& bucket = bucket_of(kind, caller);
    nanoseconds missing = std::max<nanoseconds>(bucket.full_at - now.steady, 0ns);
    const bool is_allowed = missing + cost <= window;
    if (is_allowed) missing += cost;
    bucket.full_at = now.steady + missing;
    Decision decision{.allowed = is_allowed, .limit = limit};
    decision.remaining = static_cast<std::uint32_t>((window - missing) / cost);
    decision.reset_epoch = std::chrono::ceil<std::chrono::seconds>((now.wall + missing).time_since_epoch()).count();
    if (!is_allowed) {
        const auto wait = std::chrono::ceil<std::chrono::seconds>(missing + cost - window);
        decision.retry_after = static_cast<std::uint32_t>(wait.count());
    }
    return decision;
}

void RateLimiter::set_limits(const RateLimits& limits) {
    const std::scoped_lock lock{mutex_};
    limits_ = limits;
}

std::size_t RateLimiter::callers() const {
    const std::scoped_lock lock{mutex_};
    return buckets_.size();
}

RateLimiter::Bucket& RateLimiter::bucket_of(RateClass kind, std::string_view caller) {
    const std::string key = fmt::format("{} {}", rate_class_names[kind], caller);
    if (const auto found = by_caller_.find(key); found != by_caller_.end()) {
        buckets_.splice(buckets_.begin(), buckets_, found->second);
        return buckets_.front();
    }
    if (buckets_.size() >= most_) {
        by_caller_.erase(buckets_.back().caller);
        buckets_.pop_back();
    }
    buckets_.push_front({.caller = key, .full_at = {}});
    by_caller_.emplace(buckets_.front().caller, buckets_.begin());
    return buckets_.front();
}

RateLimited::RateLimited(RateClass kind, const RateLimiter::Decision& decision)
    : Error(ErrorCode::rate_limited,
            kind == RateClass::failed_login
                ? fmt::format("More than {} attempts a minute with credentials that are not valid", decision.limit)
                : fmt::format("More than {} calls a minute of the kind {}", decision.limit, rate_class_names[kind]),
            fmt::format("Wait {} s.", decision.retry_after)),
      decision_(decision) {}

}  // namespace decant::api
