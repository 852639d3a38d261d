#include "core/child_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "core/error.hpp"

namespace decant {
namespace {

class Fd {
public:
    explicit Fd(int fd) noexcept : fd_(fd) {}
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    ~Fd() { reset(); }
    int get() const noexcept { return fd_; }
    void reset() noexcept {
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
    }

private:
    int fd_;
};

struct Pipe {
    Pipe() : Pipe(open_both()) {}
    Fd read_end;
    Fd write_end;

private:
    explicit Pipe(std::array<int, 2> ends) : read_end(ends[0]), write_end(ends[1]) {}
    static std::array<int, 2> open_both() {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
            throw Error{ErrorCode::internal, fmt::format("Cannot make a pipe: {}", std::strerror(errno)),
                        "free file descriptors (ulimit -n) and run it again"};
        }
        return ends;
    }
};

/// argv and envp in the form that execve takes, made before the fork: a child of a threaded process may not allocate.
class ExecArguments {
public:
    explicit ExecArguments(const ProgramCall& call) : argv_text_(call.argv), environment_text_(merged(call)) {
        for (std::string& text : argv_text_)
            argv_.push_back(text.data());
        for (std::string& text : environment_text_)
            environment_.push_back(text.data());
        argv_.push_back(nullptr);
        environment_.push_back(nullptr);
    }

    void exec() { ::execve(argv_.front(), argv_.data(), environment_.data()); }

private:
    static std::string_view key_of(std::string_view assignment) { return assignment.substr(0, assignment.find('=')); }

    static std::vector<std::string> merged(const ProgramCall& call) {
        std::vector<std::string> all = call.environment;
        for (char** entry = environ; *entry != nullptr; ++entry) {
            bool is_replaced = false;
            for (const std::string& own : call.environment)
                is_replaced = is_replaced || key_of(own) == key_of(*entry);
            if (!is_replaced) all.emplace_back(*entry);
        }
        return all;
    }

    std::vector<std::string> argv_text_;
    std::vector<std::string> environment_text_;
    std::vector<char*> argv_;
    std::vector<char*> environment_;
};

bool take_account(const std::optional<Account>& account) noexcept {
    if (!account || (account->uid == ::geteuid() && account->gid == ::getegid())) return true;
    return ::setgroups(0, nullptr) == 0 && ::setgid(account->gid) == 0 && ::setuid(account->uid) == 0;
}

[[noreturn]] void report_and_exit(int failure) noexcept {
    const int error = errno;
    const ssize_t written = ::write(failure, &error, sizeof error);
    ::_exit(written < 0 ? 126 : 127);
}

/// A signal that this process blocks would stay blocked in the program.
void unblock_signals() noexcept {
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// Only async-signal-safe calls; the errno of what failed goes through `failure`.
[[noreturn]] void run_child(const ProgramCall& call, ExecArguments& arguments, std::array<int, 3> files) {
    const auto [input, output, failure] = files;
    ::dup2(input, STDIN_FILENO);
    ::dup2(output, STDOUT_FILENO);
    ::dup2(output, STDERR_FILENO);
    unblock_signals();
    if (::chdir(call.directory.c_str()) == 0 && take_account(call.account)) {
        // After take_account: a change of account takes the wish back.
        if (call.dies_with_caller) ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        arguments.exec();
    }
    report_and_exit(failure);
}

[[noreturn]] void run_daemon(const ProgramCall& call, ExecArguments& arguments, const char* log, int failure) {
    ::setsid();
    unblock_signals();
    if (::chdir(call.directory.c_str()) == 0 && take_account(call.account)) {
        const int input = ::open("/dev/null", O_RDONLY);
        const int output = ::open(log, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
        const bool is_redirected = ::dup2(input, STDIN_FILENO) >= 0 && ::dup2(output, STDOUT_FILENO) >= 0 &&
                                   ::dup2(output, STDERR_FILENO) >= 0;
        if (is_redirected) arguments.exec();
    }
    report_and_exit(failure);
}
std::string read_all(int fd) {
    std::string text;
    std::array<char, 4096> buffer{};
    for (;;) {
        const ssize_t got = ::read(fd, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return text;
        text.append(buffer.data(), static_cast<std::size_t>(got));
    }
}

/// What the program says until its end, which is asked for as soon as `call` does not go on.
std::string read_output(int fd, pid_t pid, const ProgramCall& call) {
    constexpr int milliseconds = 100;
    std::string text;
    std::array<char, 4096> buffer{};
    bool is_ended = false;
    for (;;) {
        pollfd output{.fd = fd, .events = POLLIN, .revents = 0};
        if (::poll(&output, 1, milliseconds) > 0) {
            const ssize_t got = ::read(fd, buffer.data(), buffer.size());
            if (got < 0 && errno == EINTR) continue;
            if (got <= 0) return text;
            text.append(buffer.data(), static_cast<std::size_t>(got));
        } else if (!is_ended && !call.goes_on()) {
            is_ended = true;
            ::kill(pid, SIGTERM);
        }
    }
}

int exit_code_of(int status) noexcept {
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int wait_for(pid_t pid) {
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return exit_code_of(status);
}

/// What the child wrote when it could not start the program; read until exec closes the pipe.
std::optional<int> failure_in(const Pipe& failure) {
    const std::string text = read_all(failure.read_end.get());
    if (text.size() != sizeof(int)) return std::nullopt;
    int error = 0;
    std::memcpy(&error, text.data(), sizeof error);
    return error;
}

Error cannot_start(const ProgramCall& call, int error) {
    return Error{ErrorCode::internal, fmt::format("Cannot run {}: {}", call.argv.front(), std::strerror(error)),
                 "see that the file is there and that this user may run it; scripts/setup puts it back"};
}

}  // namespace

ProgramResult run_program(const ProgramCall& call) {
    ExecArguments arguments{call};
    Pipe input;
    Pipe output;
    Pipe failure;
    const pid_t pid = ::fork();
    if (pid < 0) throw cannot_start(call, errno);
    if (pid == 0) {
        run_child(call, arguments, {input.read_end.get(), output.write_end.get(), failure.write_end.get()});
    }
    output.write_end.reset();
    failure.write_end.reset();
    // The read end is still open here as well, so a program that does not read cannot raise SIGPIPE.
    const ssize_t written = ::write(input.write_end.get(), call.input.data(), call.input.size());
    input.write_end.reset();
    const std::optional<int> error = failure_in(failure);
    ProgramResult result{.exit_code = 0, .output = read_output(output.read_end.get(), pid, call)};
    result.exit_code = wait_for(pid);
    if (error) throw cannot_start(call, *error);
    if (written != static_cast<ssize_t>(call.input.size())) throw cannot_start(call, EPIPE);
    return result;
}

pid_t start_daemon(const ProgramCall& call, const std::string& log) {
    ExecArguments arguments{call};
    Pipe failure;
    const pid_t pid = ::fork();
    if (pid < 0) throw cannot_start(call, errno);
    if (pid == 0) run_daemon(call, arguments, log.c_str(), failure.write_end.get());
    failure.write_end.reset();
    const std::optional<int> error = failure_in(failure);
    if (!error) return pid;
    wait_for(pid);
    throw cannot_start(call, *error);
}

std::optional<int> exit_code_if_ended(pid_t child) {
    int status = 0;
    if (::waitpid(child, &status, WNOHANG) != child) return std::nullopt;
    return exit_code_of(status);
}

void become_program(const ProgramCall& call) {
    ExecArguments arguments{call};
    if (::chdir(call.directory.c_str()) == 0 && take_account(call.account)) arguments.exec();
    throw cannot_start(call, errno);
}

}  // namespace decant
