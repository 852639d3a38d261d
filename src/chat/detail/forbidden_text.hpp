#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace decant::chat::detail {

/// What no answer may have, whatever was found: links and addresses, markup that loads or runs something, characters
/// that nobody sees, marks of chat templates, talk of the instructions that the LLM was given.
std::optional<std::string> find_forbidden(std::string_view answer);

}  // namespace decant::chat::detail
