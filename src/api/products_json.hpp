#pragma once

#include <vector>

#include "api/shape.hpp"
#include "search/hit.hpp"

namespace decant::api {

/// Products as every answer has them.
json::array products_json(const std::vector<search::Hit>& hits);
const Shape& product_hit_shape();

}  // namespace decant::api
