#pragma once

#include <chrono>
#include <cstdint>
#include <random>

/// work/: what keeps the catalog's vectors fresh: products become texts, texts vectors, vectors rows. ProductEmbedder
/// does it for the products it is given, Worker for those that wait in the queue.
namespace decant::work {

/// A random part, at least half, of `first` doubled `times` times, at most `most`: who failed together comes back
/// apart.
std::chrono::milliseconds backoff(int times, std::chrono::milliseconds first, std::chrono::milliseconds most,
                                  std::mt19937_64& random);

/// Keeps a provider that is away from being called all the time. After five failures in a row it is open: nothing is
/// asked until a pause is over, then one thing only, whose outcome closes it or doubles the pause. Time is what the
/// caller says it is.
class Breaker {
public:
    using Time = std::chrono::steady_clock::time_point;
    enum class State { closed, open, half_open };
    static constexpr int most_failures = 5;

    explicit Breaker(std::uint64_t seed) : random_(seed) {}

    State state(Time now) const noexcept;
    /// When the next call may be made; not after `now` means at once.
    Time next_try() const noexcept { return next_try_; }
    void succeeded() noexcept;
    void failed(Time now);

private:
    int failures_ = 0;
    Time next_try_{};
    std::mt19937_64 random_;
};

}  // namespace decant::work
