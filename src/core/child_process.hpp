#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace decant {

/// The account that a program runs as.
struct Account {
    uid_t uid;
    gid_t gid;
};

/// A program to run to its end. It gets this process's environment, with `environment` (KEY=VALUE) on top, no standard
/// input but `input`, and none of this process's other files.
struct ProgramCall {
    std::vector<std::string> argv;  ///< argv[0] is the program's path
    std::vector<std::string> environment = {};
    std::optional<Account> account = {};  ///< none: the account of this process; another needs root
    std::string input = {};               ///< at most 60 KiB: it is written before the program reads
    std::string directory = "/";
    bool dies_with_caller = false;  ///< killed when the calling thread ends
    /// Of run_program(): asked about every 100 ms; false ends the program with SIGTERM.
    std::function<bool()> goes_on = [] { return true; };
};

struct ProgramResult {
    int exit_code;       ///< 128 + the signal's number when a signal ended it
    std::string output;  ///< standard output and standard error as they came
};

/// Waits for the program's end. Throws Error{internal} when it cannot be started.
ProgramResult run_program(const ProgramCall& call);

/// Starts a program that goes on after this process: in a session of its own, its output appended to `log` (0600, made
/// as `call.account`). Gives its process id. Throws Error{internal}.
pid_t start_daemon(const ProgramCall& call, const std::string& log);

/// The exit code of a child that has ended, as in ProgramResult.
std::optional<int> exit_code_if_ended(pid_t child);

/// Takes the place of this process; returns only by throwing Error{internal}.
[[noreturn]] void become_program(const ProgramCall& call);

}  // namespace decant
