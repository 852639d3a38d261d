#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
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
    virtual void required_positional(const std::string& name, std::string& target, const std::string& help) = 0;
    virtual void optional_positional(const std::string& name, std::optional<std::string>& target,
                                     const std::string& help) = 0;
};

class Command {
public:
    virtual ~Command() = default;
    virtual std::string name() const = 0;     ///< "inspect"; a nested one is "db start"
    virtual std::string summary() const = 0;  ///< one line for --help
    /// Whole command lines for --help, at least one.
    virtual std::vector<std::string> examples() const { return {}; }
    virtual void declare(Options& options) = 0;
    /// Returns the exit code; throws decant::Error for everything that went wrong.
    virtual int run(const Context& context) = 0;
};

/// All commands, in the order of --help.
std::vector<std::unique_ptr<Command>> all_commands();

/// Parses, runs, prints errors in the two-line form on stderr; returns the process's exit code.
int run_command_line(int argc, const char* const* argv);

}  // namespace decant::cli
