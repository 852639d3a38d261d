#pragma once

#include <string>

namespace decant::chroma {

/// Version of the SQLite in use: "3.40.1".
std::string library_version();

}  // namespace decant::chroma
