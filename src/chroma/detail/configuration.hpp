#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "chroma/collection.hpp"
#include "chroma/detail/json.hpp"

namespace decant::chroma::detail {

std::optional<Space> parse_space(std::string_view name);

/// The name of an embedding function with its config, as Chroma 1.x describes it; empty where `function` names none.
std::string describe_function(const Json* function);

}  // namespace decant::chroma::detail
