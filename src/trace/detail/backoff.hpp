#pragma once

#include <algorithm>
#include <chrono>
#include <random>

namespace decant::trace::detail {

/// The pauses after failures, twice as long each time. Half of each is by chance, so that servers that failed together
/// do not come back together.
class Backoff {
public:
    using Milliseconds = std::chrono::milliseconds;

    Backoff(Milliseconds first, Milliseconds longest) : first_(first), longest_(longest), pause_(first) {}

    void reset() noexcept { pause_ = first_; }
    /// `asked` where that is longer.
    Milliseconds next(Milliseconds asked) {
        const auto own = std::uniform_int_distribution<std::int64_t>{pause_.count() / 2, pause_.count()}(random_);
        pause_ = std::min(2 * pause_, longest_);
        return std::max(asked, Milliseconds{own});
    }

private:
    Milliseconds first_;
    Milliseconds longest_;
    Milliseconds pause_;
    std::mt19937 random_{std::random_device{}()};
};

}  // namespace decant::trace::detail
