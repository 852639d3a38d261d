#pragma once

#include <string>

namespace decant::pg {

/// Version of the libpq in use: "15.14".
std::string library_version();

}  // namespace decant::pg
