#include "pg/library_version.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>

namespace decant::pg {

std::string library_version() {
    const int version = PQlibVersion();
    return fmt::format("{}.{}", version / 10000, version % 10000);
}

}  // namespace decant::pg
