#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/completion_script.hpp"
#include "cli/man_page.hpp"
#include "core/error.hpp"
#include "core/json.hpp"
#include "core/utf8.hpp"
#include "core/write_file.hpp"

namespace decant::cli {
namespace {

namespace fs = std::filesystem;

class Completion final : public Command {
public:
    Completion()
        : Command("completion", "Print the script by which a shell completes decant's commands and options",
                  {"source <(decant completion bash)", "decant completion zsh > ~/.zfunc/_decant",
                   "decant completion fish > ~/.config/fish/completions/decant.fish"}) {}

    void declare(Options& options) override { options.required_positional("SHELL", shell_, "bash, zsh or fish"); }

    int run(const Context& context) override {
        const std::string script = script_of(completion_places(all_commands()));
        if (context.json) {
            fmt::print("{}\n", json_text(json::object{{"shell", shell_}, {"script", script}}));
        } else {
            fmt::print("{}", script);
        }
        return 0;
    }

private:
    std::string script_of(const std::vector<CompletionPlace>& places) const {
        if (shell_ == "bash") return bash_completion(places);
        if (shell_ == "zsh") return zsh_completion(places);
        if (shell_ == "fish") return fish_completion(places);
        throw Error{ErrorCode::request_malformed,
                    fmt::format("SHELL takes bash, zsh, fish, not '{}'", printable(shell_)), "give one of these"};
    }

    std::string shell_;
};

class Man final : public Command {
public:
    Man()
        : Command("man", "Print the manual page of decant or of one of its commands, for man(1)",
                  {"decant man | man -l -", "decant man db-start | man -l -",
                   "decant man --to /usr/local/share/man/man1"}) {}

    void declare(Options& options) override {
        options.optional_positional("COMMAND", command_, "Such as copy or db-start (default: decant itself)");
        options.text("--to", folder_, "Write the pages of all commands into this folder instead");
    }

    int run(const Context& context) override {
        const std::vector<ManPage> pages = man_pages(all_commands());
        if (folder_) return write(pages, context.json);
        const ManPage& page = chosen(pages);
        if (context.json) {
            fmt::print("{}\n", json_text(json::object{{"name", page.name}, {"text", page.text}}));
        } else {
            fmt::print("{}", page.text);
        }
        return 0;
    }

private:
    int write(const std::vector<ManPage>& pages, bool json) const {
        if (command_) {
            throw Error{ErrorCode::request_malformed, "--to writes the pages of all commands",
                        "leave out COMMAND or --to"};
        }
        std::error_code is_said_by_the_first_file;
        fs::create_directories(*folder_, is_said_by_the_first_file);
        for (const ManPage& page : pages)
            write_file(fs::path{*folder_} / (page.name + ".1"), page.text);
        if (json) {
            fmt::print("{}\n", json_text(json::object{{"folder", *folder_}, {"pages", pages.size()}}));
        } else {
            fmt::print("{} pages in {}\n", pages.size(), *folder_);
        }
        return 0;
    }

    const ManPage& chosen(const std::vector<ManPage>& pages) const {
        std::string name = command_.value_or("decant");
        std::ranges::replace(name, ' ', '-');
        const auto found = std::ranges::find_if(
            pages, [&](const ManPage& page) { return page.name == name || page.name == "decant-" + name; });
        if (found != pages.end()) return *found;
        throw Error{ErrorCode::request_malformed, fmt::format("There is no command '{}'", printable(*command_)),
                    "`decant --help` lists the commands; of `decant db start` write db-start"};
    }

    std::optional<std::string> command_;
    std::optional<std::string> folder_;
};

}  // namespace

Commands make_shell() {
    return commands_of<Completion, Man>();
}

}  // namespace decant::cli
