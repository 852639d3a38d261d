#include "cli/option_table.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.hpp"
#include "core/nearest.hpp"
#include "core/utf8.hpp"

namespace decant::cli {
namespace {

std::uint64_t parse_number(const std::string& names, const std::string& text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) {
        throw Error{ErrorCode::request_malformed,
                    fmt::format("{} takes a whole number, not '{}'", names, printable(text)),
                    "write digits only, without a sign, a point or a unit"};
    }
    return number;
}

void require_choice(const std::string& names, const std::string& text, const std::vector<std::string>& choices) {
    if (std::ranges::find(choices, text) != choices.end()) return;
    const std::optional<std::string> meant = nearest(text, choices);
    throw Error{ErrorCode::request_malformed,
                fmt::format("{} takes {}, not '{}'", names, fmt::join(choices, ", "), printable(text)),
                meant ? fmt::format("did you mean '{}'?", *meant) : "give one of these"};
}

}  // namespace

void OptionTable::flag(const std::string& names, bool& target, const std::string& help) {
    declared_.push_back(
        {.names = names, .value_name = {}, .help = help, .assign = [&target](const std::string&) { target = true; }});
}

void OptionTable::text(const std::string& names, std::string& target, const std::string& help) {
    declared_.push_back(
        {.names = names, .value_name = "TEXT", .help = help, .assign = [&target](const std::string& text) {
             target = text;
         }});
}

void OptionTable::text(const std::string& names, std::optional<std::string>& target, const std::string& help) {
    declared_.push_back(
        {.names = names, .value_name = "TEXT", .help = help, .assign = [&target](const std::string& text) {
             target = text;
         }});
}

void OptionTable::number(const std::string& names, std::optional<std::uint64_t>& target, const std::string& help) {
    declared_.push_back(
        {.names = names, .value_name = "N", .help = help, .assign = [&target, names](const std::string& text) {
             target = parse_number(names, text);
         }});
}

void OptionTable::choice(const std::string& names, std::string& target, const std::vector<std::string>& choices,
                         const std::string& help) {
    declared_.push_back({.names = names,
                         .value_name = fmt::format("{}", fmt::join(choices, "|")),
                         .help = help,
                         .assign = [&target, names, choices](const std::string& text) {
                             require_choice(names, text, choices);
                             target = text;
                         }});
}

void OptionTable::texts(const std::string& names, std::vector<std::string>& target, const std::string& help) {
    declared_.push_back({.names = names,
                         .value_name = "TEXT",
                         .help = help,
                         .is_repeatable = true,
                         .assign = [&target](const std::string& text) { target.push_back(text); }});
}

void OptionTable::setting(const std::string& names, const std::string& key, const std::string& help) {
    declared_.push_back({.names = names,
                         .value_name = "TEXT",
                         .help = help,
                         .assign = [settings = settings_, key](const std::string& text) { (*settings)[key] = text; }});
}

void OptionTable::required_positional(const std::string& name, std::string& target, const std::string& help) {
    declared_.push_back({.names = name,
                         .value_name = name,
                         .help = help,
                         .is_positional = true,
                         .is_required = true,
                         .assign = [&target](const std::string& text) { target = text; }});
}

void OptionTable::optional_positional(const std::string& name, std::optional<std::string>& target,
                                      const std::string& help) {
    declared_.push_back({.names = name,
                         .value_name = name,
                         .help = help,
                         .is_positional = true,
                         .assign = [&target](const std::string& text) { target = text; }});
}

void OptionTable::required_positionals(const std::string& name, std::vector<std::string>& target,
                                       const std::string& help) {
    declared_.push_back({.names = name,
                         .value_name = name,
                         .help = help,
                         .is_positional = true,
                         .is_required = true,
                         .is_repeatable = true,
                         .assign = [&target](const std::string& text) { target.push_back(text); }});
}

}  // namespace decant::cli
