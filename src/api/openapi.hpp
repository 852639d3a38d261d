#pragma once

#include <span>
#include <string>

#include "api/route.hpp"

namespace decant::api {

/// The OpenAPI 3.1 document of these routes. `is_open`: callers without credentials are let in, as while there are
/// none.
json::object openapi_document(std::span<const Route> routes, const std::string& version, bool is_open = false);

}  // namespace decant::api
