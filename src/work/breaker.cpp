#include "work/breaker.hpp"

#include <algorithm>

namespace decant::work {
namespace {

using namespace std::chrono_literals;
constexpr int most_doublings = 20;

}  // namespace

std::chrono::milliseconds backoff(int times, std::chrono::milliseconds first, std::chrono::milliseconds most,
                                  std::mt19937_64& random) {
    const auto longest = std::min(first * (1 << std::clamp(times, 0, most_doublings)), most);
    return std::chrono::milliseconds{std::uniform_int_distribution{longest.count() / 2, longest.count()}(random)};
}

Breaker::State Breaker::state(Time now) const noexcept {
    if (failures_ < most_failures) return State::closed;
    return now < next_try_ ? State::open : State::half_open;
}

void Breaker::succeeded() noexcept {
    failures_ = 0;
    next_try_ = {};
}

void Breaker::failed(Time now) {
    ++failures_;
    const bool is_open = failures_ >= most_failures;
    next_try_ = now + (is_open ? backoff(failures_ - most_failures, 5s, 60s, random_)
                               : backoff(failures_ - 1, 200ms, 5s, random_));
}

}  // namespace decant::work
