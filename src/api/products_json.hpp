#pragma once

#include <vector>

#include "core/json.hpp"
#include "search/hit.hpp"

namespace decant::api {

/// Products as every answer has them.
json::array products_json(const std::vector<search::Hit>& hits);

}  // namespace decant::api
