#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace decant::chat::detail {

/// What no answer may have, whatever was found: links and addresses, markup that loads or runs something, characters
/// that nobody sees, marks of chat templates, talk of the instructions that the LLM was given.
std::optional<std::string> find_forbidden(std::string_view answer);

/// `answer` without the images that are `url`, and without `url` itself, where it stands whole.
std::string without_image(std::string answer, std::string_view url);

}  // namespace decant::chat::detail
