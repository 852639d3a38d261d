#pragma once

#include "api/route.hpp"

namespace decant::api {

/// What the route's handler replies. A read that fails because the worker's connection broke while nobody used it is
/// tried once more. Throws Error.
Reply reply_of(const Route& route, Call& call);

}  // namespace decant::api
