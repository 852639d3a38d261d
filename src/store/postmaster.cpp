#include "store/postmaster.hpp"

#include <signal.h>

#include <charconv>
#include <fstream>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace decant::store {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr auto poll_interval = 10ms;

/// Lines of postmaster.pid (PostgreSQL's utils/pidfile.h): pid, data, start, port, socket folder, address, memory,
/// state.
constexpr std::size_t pid_line = 0;
constexpr std::size_t data_line = 1;
constexpr std::size_t port_line = 3;
constexpr std::size_t socket_line = 4;
constexpr std::size_t state_line = 7;

std::vector<std::string> lines_of(const fs::path& file) {
    std::vector<std::string> lines;
    std::ifstream stream{file};
    for (std::string line; std::getline(stream, line);)
        lines.push_back(line);
    return lines;
}

int number_in(const std::string& text) {
    int number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

/// Ends what works in the folder $0; prints the process ids. Root without CAP_SYS_PTRACE (a container's) cannot see
/// where another account's processes work, so this runs as that account.
constexpr const char* kill_script = R"sh(for process in /proc/[0-9]*; do
    [ "$(readlink "$process/cwd")" = "$0" ] || continue
    case $(readlink "$process/exe") in */postgres*) kill -KILL "${process#/proc/}" && echo "${process#/proc/}" ;; esac
done 2>/dev/null)sh";

bool is_started_for(pid_t pid, const fs::path& data) {
    std::ifstream stream{fs::path{"/proc"} / std::to_string(pid) / "cmdline", std::ios::binary};
    const std::string arguments{std::istreambuf_iterator<char>{stream}, {}};
    return arguments.find(std::string{"-D"} + '\0' + data.string() + '\0') != std::string::npos;
}

/// Every process of a server works in its data folder. A dead one that init has not reaped has no such link.
bool works_in(pid_t pid, const fs::path& data) {
    std::error_code failed;
    const fs::path canonical = fs::canonical(data, failed);
    if (failed) return false;
    const fs::path folder = fs::read_symlink(fs::path{"/proc"} / std::to_string(pid) / "cwd", failed);
    if (failed == std::errc::permission_denied) return is_started_for(pid, canonical);
    return !failed && folder == canonical;
}

}  // namespace

std::optional<Postmaster> find_postmaster(const fs::path& data) {
    const std::vector<std::string> lines = lines_of(data / "postmaster.pid");
    if (lines.empty()) return std::nullopt;
    Postmaster found;
    found.pid = number_in(lines[pid_line]);
    if (found.pid <= 0 || !works_in(found.pid, data)) return std::nullopt;
    if (lines.size() > socket_line) {
        found.port = number_in(lines[port_line]);
        found.socket_folder = lines[socket_line];
    }
    found.is_ready = lines.size() > state_line && lines[state_line].starts_with("ready");
    return found;
}

fs::path clear_leftovers(const fs::path& data, const Account& server) {
    const std::vector<std::string> lines = lines_of(data / "postmaster.pid");
    if (lines.empty()) return {};
    const ProgramCall kill_all{.argv = {"/bin/sh", "-c", kill_script, fs::canonical(data).string()}, .account = server};
    while (!run_program(kill_all).output.empty())
        std::this_thread::sleep_for(poll_interval);
    fs::remove(data / "postmaster.pid");
    // A copied folder brings the file of the server it was copied from, whose socket is not ours to remove.
    if (lines.size() <= socket_line || lines[data_line] != fs::canonical(data)) return {};
    const fs::path socket = fs::path{lines[socket_line]} / (".s.PGSQL." + lines[port_line]);
    std::error_code ignored;
    fs::remove(socket, ignored);
    fs::remove(socket.string() + ".lock", ignored);
    return lines[socket_line];
}

bool end_postmaster(const fs::path& data, int signal, std::chrono::seconds patience) {
    const auto found = find_postmaster(data);
    if (!found) return true;
    ::kill(found->pid, signal);
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (works_in(found->pid, data)) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::sleep_for(poll_interval);
    }
    return true;
}

}  // namespace decant::store
