#pragma once

#include <cstddef>
#include <vector>

#include "chat/detail/phrases.hpp"

namespace decant::chat::detail {

/// Which of `shown` products a message means: "la segunda", "the first two", "la 1 y la 3", "el último". From 0, each
/// once, in the order in which they are named. With nothing shown: what they would be of ten.
std::vector<std::size_t> places_in(const Spoken& message, std::size_t shown);

}  // namespace decant::chat::detail
