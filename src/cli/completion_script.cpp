#include "cli/completion_script.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/help.hpp"
#include "core/shell_word.hpp"
#include "core/split_list.hpp"

namespace decant::cli {
namespace {

constexpr const char* bash_walk = R"sh(    local place=decant current=${COMP_WORDS[COMP_CWORD]} key i
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; ++i)); do
        for key in "$place ${COMP_WORDS[i]}" "decant ${COMP_WORDS[i]}"; do
            [[ -n ${choices[$key]+is_there} ]] || continue
            # The next word is this option's value; bash makes a word of the = of --option=value.
            [[ ${COMP_WORDS[i + 1]} != = ]] || ((++i))
            ((++i < COMP_CWORD)) && continue 2
            [[ $current != = ]] || current=
            COMPREPLY=($(compgen -W "${choices[$key]}" -- "$current"))
            return
        done
        [[ -z ${below["$place ${COMP_WORDS[i]}"]+is_there} ]] || place+=" ${COMP_WORDS[i]}"
    done
    if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "${options[$place]} ${options[decant]}" -- "$current"))
    else
        COMPREPLY=($(compgen -W "${below[$place]}" -- "$current"))
    fi
}
complete -o bashdefault -o default -F _decant decant
)sh";

constexpr const char* zsh_walk = R"sh(    local place=decant key
    local -i i
    for ((i = 2; i < CURRENT; ++i)); do
        for key in "$place ${words[i]}" "decant ${words[i]}"; do
            (( ${+choices[$key]} )) || continue
            (( ++i < CURRENT )) && continue 2
            _decant_value "${choices[$key]}"
            return
        done
        (( ${+places[$place ${words[i]}]} )) && place+=" ${words[i]}"
    done
    if [[ $PREFIX == --*=* ]]; then
        key="$place ${PREFIX%%=*}"
        (( ${+choices[$key]} )) || key="decant ${PREFIX%%=*}"
        compset -P '*='
        _decant_value "${choices[$key]}"
        return
    fi
    local -a below options
    _decant_$places[$place]
    if [[ $PREFIX == -* ]]; then
        _describe -o option options
    elif (( $#below )); then
        _describe command below
    else
        _files
    fi
}

_decant_value() {
    if [[ -n $1 ]]; then compadd -- ${=1}; else _files; fi
}

_decant "$@"
)sh";

constexpr const char* fish_walk = R"sh(    set -l place decant
    set -l is_value 0
    for word in (commandline -opc)[2..-1]
        if test $is_value = 1
            set is_value 0
        else if contains -- "$place $word" $valued; or contains -- "decant $word" $valued
            set is_value 1
        else if contains -- "$place $word" $places
            set place "$place $word"
        end
    end
    test "$place" = "$argv"
end

)sh";

/// In single quotes always; of zsh and bash a quote in it is '\''.
std::string quoted(const std::string& text) {
    const std::string word = shell_word(text);
    return word.starts_with('\'') ? word : fmt::format("'{}'", word);
}

/// In single quotes of fish, where a backslash escapes.
std::string fish_quoted(const std::string& text) {
    std::string out = "'";
    for (const char letter : text) {
        if (letter == '\'' || letter == '\\') out += '\\';
        out += letter;
    }
    return out + "'";
}

/// `name:summary` as _describe reads it.
std::string described(const std::string& name, const std::string& summary) {
    std::string left;
    for (const char letter : name) {
        if (letter == ':' || letter == '\\') left += '\\';
        left += letter;
    }
    return quoted(fmt::format("{}:{}", left, summary));
}

std::vector<std::string> option_names(const CompletionPlace& place) {
    std::vector<std::string> names;
    for (const DeclaredOption& option : place.options)
        std::ranges::move(names_of(option), std::back_inserter(names));
    return names;
}

std::vector<std::string> names_below(const CompletionPlace& place) {
    std::vector<std::string> names;
    for (const CompletionPlace::Word& word : place.below)
        names.push_back(word.name);
    return names;
}

/// `line` of every option that takes a value: its place and name, and its choices.
template <typename Line>
std::string of_valued_options(const std::vector<CompletionPlace>& places, Line line) {
    std::string lines;
    for (const CompletionPlace& place : places) {
        for (const DeclaredOption& option : place.options) {
            if (option.value_name.empty()) continue;
            for (const std::string& name : names_of(option)) {
                lines += line(fmt::format("{} {}", place.words, name),
                              fmt::format("{}", fmt::join(choices_of(option), " ")));
            }
        }
    }
    return lines;
}

std::string function_name(std::string words) {
    std::ranges::replace(words, ' ', '_');
    std::ranges::replace(words, '-', '_');
    return words;
}

std::string zsh_place(const CompletionPlace& place, const CompletionPlace& root) {
    std::string text = fmt::format("_decant_at_{}() {{\n", function_name(place.words));
    const auto add_array = [&](const std::string& name, const std::string& items) {
        text += fmt::format("    {}=(\n{}    )\n", name, items);
    };
    std::string items;
    for (const CompletionPlace::Word& word : place.below)
        items += fmt::format("        {}\n", described(word.name, word.summary));
    add_array("below", items);
    items.clear();
    for (const CompletionPlace* of : {&place, &root}) {
        if (of == &root && &place == &root) break;
        for (const DeclaredOption& option : of->options) {
            for (const std::string& name : names_of(option))
                items += fmt::format("        {}\n", described(name, option.help));
        }
    }
    add_array("options", items);
    return text + "}\n\n";
}

std::string fish_option(const CompletionPlace& place, const DeclaredOption& option) {
    // The options of decant itself are those of every command.
    std::string line = "complete -c decant";
    if (place.words != "decant") line += fmt::format(" -n '__decant_at {}'", place.words);
    for (const std::string& name : names_of(option))
        line += name.starts_with("--") ? fmt::format(" -l {}", name.substr(2)) : fmt::format(" -s {}", name.substr(1));
    if (const std::vector<std::string> choices = choices_of(option); !choices.empty()) {
        line += fmt::format(" -x -a '{}'", fmt::join(choices, " "));
    } else if (!option.value_name.empty()) {
        line += " -r";
    }
    return fmt::format("{} -d {}\n", line, fish_quoted(option.help));
}

}  // namespace

std::vector<CompletionPlace> completion_places(const std::vector<std::unique_ptr<Command>>& commands) {
    std::vector<CompletionPlace> places;
    const auto place_of = [&](const std::string& words) -> CompletionPlace& {
        const auto found = std::ranges::find(places, words, &CompletionPlace::words);
        if (found != places.end()) return *found;
        return places.emplace_back(CompletionPlace{.words = words, .below = {}, .options = {}});
    };
    const auto take_options = [](OptionTable& table, CompletionPlace& place) {
        for (const DeclaredOption& option : table.declared()) {
            if (!option.is_positional && !option.help.empty()) place.options.push_back(option);
        }
    };
    GlobalOptions globals;
    OptionTable global_table;
    globals.declare(global_table);
    take_options(global_table, place_of("decant"));
    for (const auto& command : commands) {
        std::string above = "decant";
        for (const std::string_view name : split_list(command->name(), " ")) {
            CompletionPlace& parent = place_of(above);
            const bool is_last = fmt::format("{} {}", above, name) == "decant " + command->name();
            const bool is_new =
                std::ranges::find(parent.below, name, &CompletionPlace::Word::name) == parent.below.end();
            if (is_new) parent.below.push_back({std::string{name}, is_last ? command->summary() : ""});
            above += fmt::format(" {}", name);
        }
        OptionTable table;
        command->declare(table);
        take_options(table, place_of(above));
    }
    return places;
}

std::vector<std::string> choices_of(const DeclaredOption& option) {
    if (option.value_name.find('|') == std::string::npos) return {};
    const auto parts = split_list(option.value_name, "|");
    return {parts.begin(), parts.end()};
}

std::vector<std::string> names_of(const DeclaredOption& option) {
    const auto parts = split_list(option.names);
    return {parts.begin(), parts.end()};
}

std::string bash_completion(const std::vector<CompletionPlace>& places) {
    std::string below;
    std::string options;
    for (const CompletionPlace& place : places) {
        below += fmt::format("        [{}]='{}'\n", quoted(place.words), fmt::join(names_below(place), " "));
        options += fmt::format("        [{}]='{}'\n", quoted(place.words), fmt::join(option_names(place), " "));
    }
    const std::string choices = of_valued_options(places, [](const std::string& option, const std::string& words) {
        return fmt::format("        [{}]='{}'\n", quoted(option), words);
    });
    return fmt::format(
        "# Completion of decant for bash, made by `decant completion bash`.\n_decant() {{\n"
        "    local -A below=(\n{}    )\n    local -A options=(\n{}    )\n"
        "    # Of options that take a value.\n    local -A choices=(\n{}    )\n{}",
        below, options, choices, bash_walk);
}

std::string zsh_completion(const std::vector<CompletionPlace>& places) {
    std::string functions;
    std::string names;
    for (const CompletionPlace& place : places) {
        functions += zsh_place(place, places.front());
        names += fmt::format("        {} at_{}\n", quoted(place.words), function_name(place.words));
    }
    const std::string choices = of_valued_options(places, [](const std::string& option, const std::string& words) {
        return fmt::format("        {} '{}'\n", quoted(option), words);
    });
    return fmt::format(
        "#compdef decant\n# Completion of decant for zsh, made by `decant completion zsh`.\n\n{}_decant() {{\n"
        "    local -A places=(\n{}    )\n    # Of options that take a value.\n    local -A choices=(\n{}    )\n{}",
        functions, names, choices, zsh_walk);
}

std::string fish_completion(const std::vector<CompletionPlace>& places) {
    std::string names;
    std::string lines;
    for (const CompletionPlace& place : places) {
        names += " " + fish_quoted(place.words);
        for (const CompletionPlace::Word& word : place.below) {
            lines += fmt::format("complete -c decant -n '__decant_at {}' -f -a {}", place.words, word.name);
            lines += word.summary.empty() ? "\n" : fmt::format(" -d {}\n", fish_quoted(word.summary));
        }
        for (const DeclaredOption& option : place.options)
            lines += fish_option(place, option);
    }
    const std::string valued = of_valued_options(
        places, [](const std::string& option, const std::string&) { return " " + fish_quoted(option); });
    return fmt::format(
        "# Completion of decant for fish, made by `decant completion fish`.\nfunction __decant_at\n"
        "    set -l places{}\n    set -l valued{}\n{}{}",
        names, valued, fish_walk, lines);
}

}  // namespace decant::cli
