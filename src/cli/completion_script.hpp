#pragma once

#include <string>
#include <vector>

#include "cli/option_table.hpp"

namespace decant::cli {

/// What may stand after some words of a command line: "decant" itself, a group ("decant db") or a command.
struct CompletionPlace {
    struct Word {
        std::string name;
        std::string summary;
    };
    std::string words;        ///< "decant db start"
    std::vector<Word> below;  ///< what may be the next word
    std::vector<DeclaredOption> options;
};

/// The whole tree of `commands`, "decant" first. Pure.
std::vector<CompletionPlace> completion_places(const std::vector<std::unique_ptr<Command>>& commands);

/// The words that a value of the option is one of; empty where it is any text.
std::vector<std::string> choices_of(const DeclaredOption& option);

/// "--from" and "-h" of "-h,--help".
std::vector<std::string> names_of(const DeclaredOption& option);

/// Scripts that complete commands, options and their choices, and files where neither fits: for bash 4.4 and later,
/// zsh 5 and fish 3, as each loads them by itself from its folder of completions.
std::string bash_completion(const std::vector<CompletionPlace>& places);
std::string zsh_completion(const std::vector<CompletionPlace>& places);
std::string fish_completion(const std::vector<CompletionPlace>& places);

}  // namespace decant::cli
