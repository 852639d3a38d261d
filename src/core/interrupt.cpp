#include "core/interrupt.hpp"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <thread>

#include <unistd.h>

namespace decant {
namespace {

std::atomic<int> noted_signal{0};
std::atomic<bool> noted_end{false};
std::atomic<bool> noted_hangup{false};
static_assert(std::atomic<int>::is_always_lock_free);  // the handlers may touch nothing else
static_assert(std::atomic<bool>::is_always_lock_free);

void note_signal(int signal) {
    int none = 0;
    if (!noted_signal.compare_exchange_strong(none, signal)) _exit(128 + signal);
}

void note_end(int signal) {
    if (noted_end.exchange(true)) _exit(128 + signal);
}

void note_hangup(int /*signal*/) {
    noted_hangup = true;
}

void handle(int signal, void (*handler)(int)) {
    struct sigaction action{};
    action.sa_handler = handler;
    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_RESTART;  // a read of ours must not fail with EINTR: the flag is asked at page edges
    sigaction(signal, &action, nullptr);
}

}  // namespace

void catch_interrupts() {
    handle(SIGINT, note_signal);
    handle(SIGTERM, note_signal);
}

void catch_ends() {
    handle(SIGINT, note_end);
    handle(SIGTERM, note_end);
}

bool is_end_asked() noexcept {
    return noted_end;
}

void catch_hangups() {
    handle(SIGHUP, note_hangup);
}

bool take_hangup() noexcept {
    return noted_hangup.exchange(false);
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
