#pragma once

#include <span>
#include <string>

#include "api/route.hpp"

namespace decant::api {

/// The OpenAPI 3.1 document of these routes.
json::object openapi_document(std::span<const Route> routes, const std::string& version);

}  // namespace decant::api
