#include "cli/command_line.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <map>
#include <system_error>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/error_text.hpp"
#include "cli/help.hpp"
#include "cli/version.hpp"
#include "core/error.hpp"
#include "core/failpoint.hpp"
#include "core/interrupt.hpp"
#include "core/log.hpp"
#include "core/nearest.hpp"
#include "core/utf8.hpp"

namespace decant::cli {
namespace {

/// The options of one command (or the global ones) bound to a CLI11 app. Values stay text until assign_all, so that
/// the words of an error are ours and the same with every version of CLI11.
class BoundOptions {
public:
    BoundOptions(CLI::App& app, const OptionTable& table) {
        for (const DeclaredOption& declared : table.declared()) {
            CLI::Option* option =
                declared.value_name.empty() ? app.add_flag(declared.names) : add_option(app, declared);
            bound_.push_back({declared, option});
        }
    }

    /// Throws Error{request_malformed} for a value that does not fit, an option given twice, a missing positional.
    void assign_all() const {
        for (const auto& [declared, option] : bound_) {
            const std::vector<std::string>& values = option->results();
            if (values.size() > 1 && !declared.is_repeatable) {
                throw Error{ErrorCode::request_malformed,
                            fmt::format("{} is given {} times", declared.names, values.size()), "give it once"};
            }
            if (values.empty() && declared.is_required) {
                throw Error{ErrorCode::request_malformed,
                            fmt::format("{} is missing ({})", declared.names, declared.help),
                            "add it; --help shows the usage"};
            }
            if (values.empty()) continue;
            const bool is_flag = declared.value_name.empty();
            if (is_flag && values.front() != "true") {
                throw Error{ErrorCode::request_malformed, fmt::format("{} takes no value", declared.names),
                            fmt::format("give {} alone, or leave it out", declared.names)};
            }
            for (const std::string& value : values)
                declared.assign(is_flag ? std::string{} : value);
        }
    }

    /// The name of one that stands on the command line.
    std::optional<std::string> first_given() const {
        const auto given = std::ranges::find_if(bound_, [](const Bound& bound) { return bound.option->count() > 0; });
        return given == bound_.end() ? std::nullopt : std::optional{given->option->get_name()};
    }

    void add_names(std::vector<std::string>& names) const {
        for (const auto& [declared, option] : bound_) {
            if (!declared.is_positional) names.push_back(option->get_name());
        }
    }

private:
    static CLI::Option* add_option(CLI::App& app, const DeclaredOption& declared) {
        const auto keep = [](const CLI::results_t&) { return true; };
        const bool takes_several = declared.is_positional && declared.is_repeatable;
        return app.add_option(declared.names, keep)
            ->type_size(1)
            ->expected(takes_several ? -1 : 1)
            ->allow_extra_args(takes_several)
            ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    }

    struct Bound {
        DeclaredOption declared;
        CLI::Option* option;
    };
    std::vector<Bound> bound_;
};

/// A command with its place in the tree of CLI11 apps.
struct Entry {
    Command* command;
    CLI::App* app;
    BoundOptions options;
    OptionTable table;
};

class CommandLine {
public:
    CommandLine() : commands_(all_commands()) {
        app_.set_help_flag();
        app_.require_subcommand(0, 1);
        OptionTable table;
        globals_.declare(table);
        bound_globals_ = std::make_unique<BoundOptions>(app_, table);
        for (const auto& command : commands_)
            add(*command);
    }

    int run(int argc, const char* const* argv) {
        parse(argc, argv);
        bound_globals_->assign_all();
        const Entry* entry = chosen();
        if (globals_.help) return print_help(entry);
        if (globals_.version) return print_version(globals_.json);
        if (entry == nullptr) refuse_no_command();
        refuse_options_of_parent(*entry);
        entry->options.assign_all();
        Settings::Variables flags = entry->table.settings();
        if (globals_.db) flags.emplace("DATABASE_URL", *globals_.db);
        const Settings settings = Settings::load(flags);
        log::configure(settings);
        arm_failpoints(settings.get("DECANT_FAILPOINT").value_or(""));
        return entry->command->run(Context{.settings = settings, .json = globals_.json});
    }

private:
    void add(Command& command) {
        CLI::App* parent = &app_;
        std::string name = command.name();
        if (const std::size_t space = name.find(' '); space != std::string::npos) {
            parent = group(name.substr(0, space));
            name.erase(0, space + 1);
        }
        CLI::App* app = parent->add_subcommand(name);
        app->set_help_flag();
        app->fallthrough();
        OptionTable table;
        command.declare(table);
        entries_.push_back({&command, app, BoundOptions{*app, table}, table});
    }

    /// A command may have others below it: `eval` and `eval recall`.
    CLI::App* group(const std::string& name) {
        const auto command =
            std::ranges::find(entries_, name, [](const Entry& entry) { return entry.command->name(); });
        if (command != entries_.end()) return command->app;
        CLI::App*& found = groups_[name];
        if (found == nullptr) {
            found = app_.add_subcommand(name);
            found->set_help_flag();
            found->fallthrough();
            found->require_subcommand(0, 1);
        }
        return found;
    }

    void parse(int argc, const char* const* argv) {
        try {
            app_.parse(argc, argv);
        } catch (const CLI::ExtrasError&) {
            if (!is_help_wanted()) refuse_extra();
            globals_.help = true;
        } catch (const CLI::ArgumentMismatch& mismatch) {
            const std::string text{mismatch.what()};
            throw Error{ErrorCode::request_malformed, fmt::format("{} needs a value", text.substr(0, text.find(':'))),
                        "write it after the option; --help shows what it takes"};
        } catch (const CLI::ParseError& error) {
            throw Error{ErrorCode::request_malformed, printable(error.what()), "--help shows the usage"};
        }
    }

    bool is_help_wanted() const { return app_.get_option("--help")->count() > 0; }

    [[noreturn]] void refuse_extra() const {
        const std::vector<std::string> extras = app_.remaining(true);
        const std::string word = extras.empty() ? "" : extras.front();
        const Entry* entry = chosen();
        const std::string name = word.substr(0, word.find('='));
        const bool is_option = name.starts_with('-') && name.size() > 1;
        std::vector<std::string> candidates;
        if (is_option) {
            bound_globals_->add_names(candidates);
            if (entry != nullptr) entry->options.add_names(candidates);
        } else if (entry == nullptr) {
            candidates = command_names();
        }
        const std::optional<std::string> meant = nearest(name, candidates);
        const std::string context = entry == nullptr ? chosen_group() : entry->command->name();
        const std::string help =
            fmt::format("`decant{}{} --help` lists what there is", context.empty() ? "" : " ", context);
        std::string happened;
        if (is_option) {
            happened = fmt::format("There is no option {}", printable(name));
        } else if (entry == nullptr) {
            happened =
                fmt::format("There is no command '{}'", printable(context.empty() ? name : context + " " + name));
        } else {
            happened = fmt::format("'{}' is one argument too many for `decant {}`", printable(word), context);
        }
        throw Error{ErrorCode::request_malformed, happened,
                    meant ? fmt::format("did you mean {}? {}", *meant, help) : help};
    }

    [[noreturn]] void refuse_no_command() const {
        const std::string group = chosen_group();
        throw Error{ErrorCode::request_malformed,
                    group.empty() ? "No command is given" : fmt::format("`decant {}` needs a command", group),
                    fmt::format("`decant{}{} --help` lists the commands", group.empty() ? "" : " ", group)};
    }

    const Entry* chosen() const {
        const auto found = std::ranges::find_if(
            entries_, [](const Entry& entry) { return entry.app->parsed() && entry.app->get_subcommands().empty(); });
        return found == entries_.end() ? nullptr : &*found;
    }

    /// What a command does not know falls through to those above it; only the global options may.
    void refuse_options_of_parent(const Entry& entry) const {
        for (const Entry& parent : entries_) {
            if (entry.app->get_parent() != parent.app) continue;
            const std::optional<std::string> stray = parent.options.first_given();
            if (!stray) continue;
            throw Error{ErrorCode::request_malformed,
                        fmt::format("`decant {}` has no option {}", entry.command->name(), *stray),
                        fmt::format("`decant {} --help` lists what there is", entry.command->name())};
        }
    }

    std::string chosen_group() const {
        for (const auto& [name, app] : groups_) {
            if (app->parsed()) return name;
        }
        return {};
    }

    /// Of the chosen group; without one the first words.
    std::vector<std::string> command_names() const {
        const CLI::App* parent = &app_;
        if (const std::string group = chosen_group(); !group.empty()) parent = groups_.at(group);
        std::vector<std::string> names;
        for (const CLI::App* app : parent->get_subcommands({}))
            names.push_back(app->get_name());
        return names;
    }

    int print_help(const Entry* entry) const {
        const std::string text =
            entry == nullptr ? overview_help(commands_, chosen_group()) : command_help(*entry->command);
        std::fwrite(text.data(), 1, text.size(), stdout);
        return 0;
    }

    std::vector<std::unique_ptr<Command>> commands_;
    GlobalOptions globals_;
    CLI::App app_;
    std::unique_ptr<BoundOptions> bound_globals_;
    std::vector<Entry> entries_;
    std::map<std::string, CLI::App*> groups_;
};

Error results_lost(const std::string& why) {
    return Error{ErrorCode::store_full, fmt::format("The results could not be written to stdout: {}", why),
                 "free space where stdout goes, then run the command again"};
}

/// A result that did not reach its reader is a failure, whatever the command returned.
void flush_results() {
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return;
    throw results_lost(std::generic_category().message(errno));
}

bool is_json_wanted(int argc, const char* const* argv) {
    return std::any_of(argv, argv + argc, [](std::string_view argument) { return argument == "--json"; });
}

}  // namespace

int run_command_line(int argc, const char* const* argv) {
    const bool json = is_json_wanted(argc, argv);
    try {
        const int exit_code = CommandLine{}.run(argc, argv);
        flush_results();
        return exit_code;
    } catch (const Error& error) {
        const int exit_code = print_error(error, json);
        const std::optional<int> signal = interrupted();
        return error.code() == ErrorCode::cancelled && signal ? 128 + *signal : exit_code;
    } catch (const std::system_error& error) {
        // fmt::print throws it when a full disk shows before the last flush.
        if (std::ferror(stdout) != 0) return print_error(results_lost(error.code().message()), json);
        return print_error(Error{ErrorCode::internal, error.what(), "this is a fault of decant: please report it"},
                           json);
    } catch (const std::exception& error) {
        return print_error(Error{ErrorCode::internal, error.what(), "this is a fault of decant: please report it"},
                           json);
    }
}

}  // namespace decant::cli
