#pragma once

#include "core/error.hpp"

namespace decant::cli {

/// The two-line form that every failing command ends with:
///   decant: not_found: Collection 'x' is not in data/
///     do: name one of: products
/// or, with `json`, one line {"error":{"code":…,"happened":…,"remedy":…}}.
std::string error_text(const Error& error, bool json);

/// Writes error_text to stderr after flushing stdout; returns the exit code.
int print_error(const Error& error, bool json);

}  // namespace decant::cli
