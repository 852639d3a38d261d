#pragma once

namespace decant::cli {

/// `decant --version`; with `json` also compiler, libraries and compiled-in limits. Returns the exit code.
int print_version(bool json);

}  // namespace decant::cli
