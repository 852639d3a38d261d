#pragma once

#include <sys/types.h>

#include <boost/json/value.hpp>
#include <filesystem>
#include <string>
#include <vector>

namespace decant::test {

struct Outcome {
    int exit_code = 0;  ///< 128 + the signal's number when a signal ended it
    std::string out;
    std::string err;
    double seconds = 0;

    /// Standard output as JSON. Throws when it is none.
    boost::json::value json() const;
    /// "exit N" and all it wrote, for the message of a failed expectation.
    std::string told() const;
};

/// One run of the program under test, in the background. Killed with this object.
class RunningDecant {
public:
    struct Start {
        std::vector<std::string> arguments;
        std::vector<std::string> environment;  ///< KEY=VALUE, on top of this process's
        std::filesystem::path folder;          ///< its working folder; holds what it writes
        std::vector<std::string> under = {};   ///< a program that runs it, by its path, with arguments: strace, sh
    };

    explicit RunningDecant(const Start& start);
    RunningDecant(RunningDecant&& other) noexcept;
    RunningDecant& operator=(RunningDecant&&) = delete;
    ~RunningDecant();

    pid_t pid() const noexcept { return pid_; }
    bool has_ended();
    void signal(int number) const;
    /// Waits for its end.
    Outcome wait();
    /// What it has written to standard output so far.
    std::string out() const;
    /// What it has written to standard error so far.
    std::string err() const;

private:
    pid_t pid_ = -1;
    int status_ = 0;
    double started_ = 0;
    std::filesystem::path out_;
    std::filesystem::path err_;
};

/// The program under test against one database, in a folder of its own that goes with this object.
class DecantProgram {
public:
    explicit DecantProgram(std::string conninfo);
    DecantProgram(const DecantProgram&) = delete;
    DecantProgram& operator=(const DecantProgram&) = delete;
    ~DecantProgram();

    /// `decant ARGUMENTS --db CONNINFO` to its end.
    Outcome run(const std::vector<std::string>& arguments, const std::vector<std::string>& environment = {}) const;
    /// The same by another program, which gets the program under test and its arguments after its own.
    Outcome run_under(const std::vector<std::string>& other, const std::vector<std::string>& arguments) const;
    RunningDecant start(const std::vector<std::string>& arguments,
                        const std::vector<std::string>& environment = {}) const;

    const std::filesystem::path& folder() const noexcept { return folder_; }
    const std::string& conninfo() const noexcept { return conninfo_; }

private:
    std::string conninfo_;
    std::filesystem::path folder_;
};

}  // namespace decant::test
