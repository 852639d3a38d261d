#pragma once

#include <chrono>
#include <thread>

namespace decant::test {

/// Asks every few milliseconds until `condition` holds; false when it does not within `limit`.
template <typename Condition>
bool eventually(std::chrono::milliseconds limit, Condition condition) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds{2});
    }
    return true;
}

}  // namespace decant::test
