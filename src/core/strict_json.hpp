#pragma once

#include <cstddef>
#include <string_view>

#include "core/json.hpp"

namespace decant {

/// How large JSON from outside may be, besides its bytes.
struct JsonLimits {
    std::size_t depth = 64;        ///< of arrays and objects in each other
    std::size_t members = 10'000;  ///< of all objects together
};

/// One JSON document (RFC 8259) in UTF-8 and nothing after it, without a name that stands twice in an object and
/// without numbers that double does not hold: what two readers could read differently is refused.
/// Throws Error{request_malformed} that says what is wrong at which byte.
json::value parse_strict_json(std::string_view text, const JsonLimits& limits = {});

}  // namespace decant
