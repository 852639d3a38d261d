#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/enum_names.hpp"
#include "core/error.hpp"
#include "core/settings.hpp"

namespace decant::api {

/// What is counted by itself. failed_login: credentials that are not valid, by address.
enum class RateClass { none, search, embedding, batch, monitoring, chat, failed_login };
inline constexpr EnumNames<RateClass, 7> rate_class_names{
    {"none", "search", "embedding", "batch", "monitoring", "chat", "failed_login"}};

/// Calls a minute of one caller; 0: as many as they like.
struct RateLimits {
    std::array<std::uint32_t, 7> a_minute{};

    std::uint32_t& operator[](RateClass kind) noexcept { return a_minute[static_cast<std::size_t>(kind)]; }
    std::uint32_t operator[](RateClass kind) const noexcept { return a_minute[static_cast<std::size_t>(kind)]; }
};

/// DECANT_RATE_*.
RateLimits rate_limits(const Settings& settings);

/// The same moment on both clocks: spans are measured on the first, which nobody sets.
struct Instant {
    std::chrono::steady_clock::time_point steady;
    std::chrono::system_clock::time_point wall;

    static Instant now() noexcept { return {std::chrono::steady_clock::now(), std::chrono::system_clock::now()}; }
};

/// A bucket for each caller and class: a minute's calls fit in, and it fills evenly (the generic cell rate algorithm,
/// which needs one time a bucket). It knows the callers of late, 100,000 of them; who is forgotten starts with a full
/// bucket. Any thread.
class RateLimiter {
public:
    static constexpr std::size_t most_callers = 100'000;

    struct Decision {
        bool allowed = true;
        std::uint32_t limit = 0;        ///< 0: there is none, and the rest says nothing
        std::uint32_t remaining = 0;    ///< calls that would be allowed now
        std::int64_t reset_epoch = 0;   ///< when the bucket is full again, in seconds
        std::uint32_t retry_after = 0;  ///< seconds until the next call is allowed; 0: now
    };

    explicit RateLimiter(const RateLimits& limits, std::size_t most = most_callers) : limits_(limits), most_(most) {}

    /// Counts one call, unless it is not allowed.
    Decision take(RateClass kind, std::string_view caller, const Instant& now = Instant::now());
    /// From the next call on; buckets stay as full as they are.
    void set_limits(const RateLimits& limits);
    std::size_t callers() const;

private:
    struct Bucket {
        std::string caller;
        std::chrono::steady_clock::time_point full_at;
    };
    Bucket& bucket_of(RateClass kind, std::string_view caller);

    mutable std::mutex mutex_;
    RateLimits limits_;
    std::size_t most_;
    std::list<Bucket> buckets_;  ///< the one that was used last is the first
    std::unordered_map<std::string_view, std::list<Bucket>::iterator> by_caller_;
};

/// Error{rate_limited} with what the answer's headers say.
class RateLimited : public Error {
public:
    RateLimited(RateClass kind, const RateLimiter::Decision& decision);
    const RateLimiter::Decision& decision() const noexcept { return decision_; }

private:
    RateLimiter::Decision decision_;
};

}  // namespace decant::api
