#include "chroma/detail/bus_guard.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <mutex>

namespace decant::chroma::detail {
namespace {

thread_local volatile std::sig_atomic_t guards_of_thread = 0;
thread_local volatile std::uint64_t faults_of_thread = 0;

struct sigaction previous_action{};
std::uintptr_t page_size = 4096;

void hand_to_previous(int signal_number, siginfo_t* info, void* context) {
    if ((previous_action.sa_flags & SA_SIGINFO) != 0 && previous_action.sa_sigaction != nullptr) {
        previous_action.sa_sigaction(signal_number, info, context);
    } else if (previous_action.sa_handler != SIG_DFL && previous_action.sa_handler != SIG_IGN) {
        previous_action.sa_handler(signal_number);
    } else {
        // Returning repeats the faulting instruction, now with the default action.
        ::signal(SIGBUS, SIG_DFL);
    }
}

void on_sigbus(int signal_number, siginfo_t* info, void* context) {
    if (guards_of_thread > 0 && info->si_addr != nullptr) {
        const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr) & ~(page_size - 1);
        // mmap is a bare system call on Linux, so it may be called here.
        void* page = ::mmap(reinterpret_cast<void*>(address), page_size, PROT_READ,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        if (page != MAP_FAILED) {
            faults_of_thread = faults_of_thread + 1;
            return;
        }
    }
    hand_to_previous(signal_number, info, context);
}

void install_handler() {
    page_size = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    struct sigaction action{};
    action.sa_sigaction = on_sigbus;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    ::sigaction(SIGBUS, &action, &previous_action);
}

}  // namespace

BusGuard::BusGuard() noexcept : faults_before_(faults_of_thread) {
    static std::once_flag installed;
    std::call_once(installed, install_handler);
    guards_of_thread = guards_of_thread + 1;
}

BusGuard::~BusGuard() {
    guards_of_thread = guards_of_thread - 1;
}

bool BusGuard::has_faulted() const noexcept {
    return faults_of_thread != faults_before_;
}

}  // namespace decant::chroma::detail
