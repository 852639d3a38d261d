#include "cli/help.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace decant::cli {
namespace {

/// Column at which help texts start, and the width of a line.
constexpr std::size_t help_column = 30;
constexpr std::size_t line_width = 110;

/// "  left      text", the text wrapped and kept in its column.
std::string two_columns(const std::string& left, const std::string& text) {
    std::string out = fmt::format("  {:<{}}", left, help_column - 2);
    std::size_t column = std::max(out.size(), help_column);
    if (left.size() + 3 > help_column) {
        out += fmt::format("\n{:{}}", "", help_column);
        column = help_column;
    }
    std::size_t position = 0;
    while (position < text.size()) {
        const std::size_t end = std::min(text.find(' ', position), text.size());
        const std::string word = text.substr(position, end - position);
        if (column > help_column && column + 1 + word.size() > line_width) {
            out += fmt::format("\n{:{}}", "", help_column);
            column = help_column;
        } else if (column > help_column) {
            out += ' ';
            ++column;
        }
        out += word;
        column += word.size();
        position = end + 1;
    }
    return out + "\n";
}

/// "-j, --json" or "--to TEXT".
std::string label_of(const DeclaredOption& option) {
    std::string label = option.names;
    if (const std::size_t comma = label.find(','); comma != std::string::npos) label.insert(comma + 1, " ");
    if (!option.is_positional && !option.value_name.empty()) label += " " + option.value_name;
    return label;
}

std::string option_lines(const std::vector<DeclaredOption>& options, bool positionals) {
    std::string lines;
    for (const DeclaredOption& option : options) {
        if (option.is_positional == positionals && !option.help.empty())
            lines += two_columns(label_of(option), option.help);
    }
    return lines;
}

std::string global_lines() {
    GlobalOptions globals;
    OptionTable table;
    globals.declare(table);
    return option_lines(table.declared(), false);
}

std::string usage_of(const Command& command, const std::vector<DeclaredOption>& options) {
    std::string usage = fmt::format("Usage: decant {}", command.name());
    for (const DeclaredOption& option : options) {
        if (!option.is_positional) continue;
        usage += option.is_required ? " " + option.names : fmt::format(" [{}]", option.names);
        if (option.is_repeatable) usage += "...";
    }
    const bool has_options = std::ranges::any_of(options, [](const auto& option) { return !option.is_positional; });
    return usage + (has_options ? " [OPTIONS]\n" : "\n");
}

}  // namespace

void GlobalOptions::declare(Options& options) {
    options.text("--db", db, "Target database: a URL or libpq's key=value pairs. Goes before DATABASE_URL and DB_*");
    options.flag("--json", json, "One JSON document on stdout, errors as JSON on stderr");
    options.flag("--version", version, "Version; with --json also libraries, limits and failpoints");
    options.flag("-h,--help", help, "This text");
}

std::string overview_help(const std::vector<std::unique_ptr<Command>>& commands, const std::string& group) {
    std::string text;
    if (group.empty()) {
        text = "decant moves ChromaDB collections into PostgreSQL + pgvector and proves them equal.\n\n";
    }
    text += fmt::format("Usage: decant {}COMMAND [OPTIONS]\n\nCommands:\n", group.empty() ? "" : group + " ");
    for (const auto& command : commands) {
        const bool is_in_group = group.empty() || command->name().starts_with(group + " ");
        if (is_in_group) text += two_columns(command->name(), command->summary());
    }
    text += "\nOptions of every command:\n" + global_lines();
    text += fmt::format("\n`decant {}COMMAND --help` tells the options of a command, with examples.\n",
                        group.empty() ? "" : group + " ");
    return text;
}

std::string command_help(Command& command) {
    OptionTable table;
    command.declare(table);
    std::string text = fmt::format("{}\n\n{}", command.summary(), usage_of(command, table.declared()));
    if (const std::string lines = option_lines(table.declared(), true); !lines.empty()) text += "\n" + lines;
    if (const std::string lines = option_lines(table.declared(), false); !lines.empty()) {
        text += "\nOptions:\n" + lines;
    }
    text += "\nOptions of every command:\n" + global_lines();
    const std::vector<std::string> examples = command.examples();
    if (!examples.empty()) text += "\nExamples:\n";
    for (const std::string& example : examples)
        text += fmt::format("  {}\n", example);
    return text;
}

}  // namespace decant::cli
