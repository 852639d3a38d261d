#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/command_line.hpp"

namespace decant::cli {

/// One option or positional as a command declared it.
struct DeclaredOption {
    std::string names;       ///< "-j,--json"; of a positional "DIR"
    std::string value_name;  ///< "TEXT", "N" or "hnsw|none" for --help; empty: a flag
    std::string help;
    bool is_positional = false;
    bool is_required = false;
    bool is_repeatable = false;
    /// Throws Error{request_malformed} when the text does not fit. Of a flag the text is empty.
    std::function<void(const std::string& text)> assign;
};

/// Records what a command declares; the parser and --help are made from it.
class OptionTable : public Options {
public:
    void flag(const std::string& names, bool& target, const std::string& help) override;
    void text(const std::string& names, std::string& target, const std::string& help) override;
    void text(const std::string& names, std::optional<std::string>& target, const std::string& help) override;
    void number(const std::string& names, std::optional<std::uint64_t>& target, const std::string& help) override;
    void choice(const std::string& names, std::string& target, const std::vector<std::string>& choices,
                const std::string& help) override;
    void texts(const std::string& names, std::vector<std::string>& target, const std::string& help) override;
    void setting(const std::string& names, const std::string& key, const std::string& help) override;
    void required_positional(const std::string& name, std::string& target, const std::string& help) override;
    void optional_positional(const std::string& name, std::optional<std::string>& target,
                             const std::string& help) override;
    void required_positionals(const std::string& name, std::vector<std::string>& target,
                              const std::string& help) override;

    const std::vector<DeclaredOption>& declared() const noexcept { return declared_; }
    /// By key, once the command line was taken in.
    const Settings::Variables& settings() const noexcept { return *settings_; }

private:
    std::shared_ptr<Settings::Variables> settings_ = std::make_shared<Settings::Variables>();
    std::vector<DeclaredOption> declared_;
};

}  // namespace decant::cli
