#include "cli/man_page.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "cli/help.hpp"

namespace decant::cli {
namespace {

struct ExitCode {
    int code;
    std::string_view meaning;
};

/// As README.md has them.
constexpr ExitCode exit_codes[] = {
    {0, "Done."},
    {1, "A check or a verification found a difference, a target was missed, or records were rejected or lost."},
    {2, "The command line is not valid."},
    {65, "The source or the target: unreadable, not found, mismatched, refused by the server."},
    {69, "The server, or what embeds, is away."},
    {70, "A fault of decant."},
    {74, "A disk is full."},
    {75, "Try again: another run holds the target, or the source changed."},
    {77, "Permission."},
    {78, "A setting."},
    {130, "Interrupted; the command to go on is printed. 143 when terminated."},
};

/// Text as roff shows it: hyphens that may be copied, and no line that begins as a request does.
std::string roff(std::string_view text) {
    std::string out;
    if (text.starts_with('.') || text.starts_with('\'')) out = "\\&";
    for (const char letter : text) {
        switch (letter) {
            case '\\':
                out += "\\e";
                break;
            case '-':
                out += "\\-";
                break;
            case '\'':
                out += "\\(aq";
                break;
            case '`':
                out += "\\(ga";
                break;
            case '^':
                out += "\\(ha";
                break;
            case '~':
                out += "\\(ti";
                break;
            default:
                out += letter;
        }
    }
    return out;
}

std::string heading(const std::string& page, const std::string& summary) {
    return fmt::format(".\\\" Made by `decant man`.\n.TH {} 1 \"\" \"decant {}\" \"decant\"\n.SH NAME\n{} \\- {}\n",
                       roff(page), DECANT_VERSION, roff(page), roff(summary));
}

/// "\fB\-\-to\fR \fITEXT\fR" with its help below.
std::string entry(const DeclaredOption& option) {
    std::string label = option.names;
    if (const std::size_t comma = label.find(','); comma != std::string::npos) label.insert(comma + 1, " ");
    std::string line =
        option.is_positional ? fmt::format("\\fI{}\\fR", roff(label)) : fmt::format("\\fB{}\\fR", roff(label));
    if (!option.is_positional && !option.value_name.empty())
        line += fmt::format(" \\fI{}\\fR", roff(option.value_name));
    return fmt::format(".TP\n{}\n{}\n", line, roff(option.help));
}

std::string entries(const std::vector<DeclaredOption>& options, bool positionals) {
    std::string text;
    for (const DeclaredOption& option : options) {
        if (option.is_positional == positionals && !option.help.empty()) text += entry(option);
    }
    return text;
}

std::string global_entries() {
    GlobalOptions globals;
    OptionTable table;
    globals.declare(table);
    return entries(table.declared(), false);
}

std::string synopsis(const Command& command, const std::vector<DeclaredOption>& options) {
    std::string line = fmt::format("\\fBdecant {}\\fR", roff(command.name()));
    for (const DeclaredOption& option : options) {
        if (!option.is_positional) continue;
        const std::string name = fmt::format("\\fI{}\\fR{}", roff(option.names), option.is_repeatable ? "..." : "");
        line += option.is_required ? " " + name : fmt::format(" [{}]", name);
    }
    return fmt::format(".SH SYNOPSIS\n{} [\\fIOPTIONS\\fR]\n", line);
}

std::string page_name(const Command& command) {
    std::string name = "decant-" + command.name();
    std::ranges::replace(name, ' ', '-');
    return name;
}

ManPage page_of(Command& command) {
    OptionTable table;
    command.declare(table);
    const std::vector<DeclaredOption>& options = table.declared();
    std::string text = heading(page_name(command), command.summary()) + synopsis(command, options);
    const std::string own = entries(options, true) + entries(options, false);
    if (!own.empty()) text += ".SH OPTIONS\n" + own;
    text += ".SH OPTIONS OF EVERY COMMAND\n" + global_entries();
    text += ".SH EXAMPLES\n.nf\n";
    for (const std::string& example : command.examples())
        text += roff(example) + "\n";
    text += ".fi\n.SH SEE ALSO\n\\fBdecant\\fR(1), which has the settings and the exit codes\n";
    return {.name = page_name(command), .text = std::move(text)};
}

std::string settings() {
    std::string text;
    for (const SettingSpec& setting : all_settings()) {
        text += fmt::format(".TP\n\\fB{}\\fR\n{}\n", roff(setting.key), roff(setting.help));
        if (!setting.default_value.empty()) text += fmt::format("Default: {}.\n", roff(setting.default_value));
    }
    return text;
}

ManPage page_of_decant(const std::vector<std::unique_ptr<Command>>& commands) {
    std::string text = heading("decant", "product search on PostgreSQL with pgvector, moved there from Chroma");
    text +=
        ".SH SYNOPSIS\n\\fBdecant\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR]\n.SH DESCRIPTION\n"
        "Moves product embeddings from Chroma into PostgreSQL with pgvector, proves them equal, keeps them fresh, and\n"
        "searches them: by command line, HTTP, chat and web page. Results go to stdout, messages and progress to "
        "stderr.\n"
        ".SH COMMANDS\nEach has a page of its own.\n";
    for (const auto& command : commands)
        text += fmt::format(".TP\n\\fB{}\\fR(1)\n{}\n", roff(page_name(*command)), roff(command->summary()));
    text += ".SH OPTIONS OF EVERY COMMAND\n" + global_entries();
    text += ".SH EXIT STATUS\n";
    for (const ExitCode& exit_code : exit_codes)
        text += fmt::format(".TP\n{}\n{}\n", exit_code.code, roff(exit_code.meaning));
    text +=
        ".SH ENVIRONMENT\nEach may also stand in the file .env of the working folder. Secrets may be read from a "
        "file:\n"
        "append _FILE to the name. \\fBdecant config\\fR shows the values and where they came from.\n";
    text += settings();
    return {.name = "decant", .text = std::move(text)};
}

}  // namespace

std::vector<ManPage> man_pages(const std::vector<std::unique_ptr<Command>>& commands) {
    std::vector<ManPage> pages{page_of_decant(commands)};
    for (const auto& command : commands)
        pages.push_back(page_of(*command));
    return pages;
}

}  // namespace decant::cli
