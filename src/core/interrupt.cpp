#include "core/interrupt.hpp"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <thread>

#include <unistd.h>

namespace decant {
namespace {

std::atomic<int> noted_signal{0};
static_assert(std::atomic<int>::is_always_lock_free);  // the handler may touch nothing else

void note_signal(int signal) {
    int none = 0;
    if (!noted_signal.compare_exchange_strong(none, signal)) _exit(128 + signal);
}

}  // namespace

void catch_interrupts() {
    struct sigaction action{};
    action.sa_handler = note_signal;
    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_RESTART;  // a read of ours must not fail with EINTR: the flag is asked at page edges
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
}

std::optional<int> interrupted() noexcept {
    const int signal = noted_signal.load();
    return signal == 0 ? std::nullopt : std::optional{signal};
}

bool sleep_unless_interrupted(std::chrono::milliseconds span, const std::stop_token& stop) {
    using namespace std::chrono_literals;
    const auto end = std::chrono::steady_clock::now() + span;
    const auto is_ended = [&] { return interrupted() || stop.stop_requested(); };
    while (std::chrono::steady_clock::now() < end && !is_ended())
        std::this_thread::sleep_for(std::min<std::chrono::milliseconds>(20ms, span));
    return !is_ended();
}

}  // namespace decant
