#pragma once

#include <string_view>
#include <vector>

#include "embed/embedder.hpp"

namespace decant::search {

/// The vector of a text that is asked with. Throws Error{request_invalid} for one that has none, and what the embedder
/// throws about itself.
std::vector<float> question_vector(embed::Embedder& embedder, std::string_view text);

}  // namespace decant::search
