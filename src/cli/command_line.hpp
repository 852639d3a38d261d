#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/settings.hpp"

/// cli/: one file a command. Commands parse, call the folders below and print; stdout carries results, stderr messages.
namespace decant::cli {

/// What a command is given besides its own options.
struct Context {
    const Settings& settings;
    bool json = false;  ///< --json: one JSON document on stdout instead of text
};

/// Declares options of one command; a thin cover over CLI11, which only command_line.cpp includes.
class Options {
public:
    virtual ~Options() = default;
    /// `names` as in "-j,--json" or "--json". An option without help is not shown.
    virtual void flag(const std::string& names, bool& target, const std::string& help) = 0;
    virtual void text(const std::string& names, std::string& target, const std::string& help) = 0;
    virtual void text(const std::string& names, std::optional<std::string>& target, const std::string& help) = 0;
    virtual void number(const std::string& names, std::optional<std::uint64_t>& target, const std::string& help) = 0;
    virtual void choice(const std::string& names, std::string& target, const std::vector<std::string>& choices,
                        const std::string& help) = 0;
    /// May be given several times.
    virtual void texts(const std::string& names, std::vector<std::string>& target, const std::string& help) = 0;
    /// A value for a setting, before the environment and .env.
    virtual void setting(const std::string& names, const std::string& key, const std::string& help) = 0;
    virtual void required_positional(const std::string& name, std::string& target, const std::string& help) = 0;
    virtual void optional_positional(const std::string& name, std::optional<std::string>& target,
                                     const std::string& help) = 0;
    /// One or more; the last positional of its command.
    virtual void required_positionals(const std::string& name, std::vector<std::string>& target,
                                      const std::string& help) = 0;
};

class Command {
public:
    Command(std::string name, std::string summary, std::vector<std::string> examples)
        : name_(std::move(name)), summary_(std::move(summary)), examples_(std::move(examples)) {}
    virtual ~Command() = default;
    const std::string& name() const noexcept { return name_; }        ///< "inspect"; a nested one is "db start"
    const std::string& summary() const noexcept { return summary_; }  ///< one line for --help
    /// Whole command lines for --help, at least one.
    const std::vector<std::string>& examples() const noexcept { return examples_; }
    virtual void declare(Options&) {}
    /// Returns the exit code; throws decant::Error for everything that went wrong.
    virtual int run(const Context& context) = 0;

private:
    std::string name_;
    std::string summary_;
    std::vector<std::string> examples_;
};

/// All commands, in the order of --help.
std::vector<std::unique_ptr<Command>> all_commands();

/// Parses, runs, prints errors in the two-line form on stderr; returns the process's exit code.
int run_command_line(int argc, const char* const* argv);

}  // namespace decant::cli
