#include "chroma/library_version.hpp"

#include <sqlite3.h>

namespace decant::chroma {

std::string library_version() {
    return sqlite3_libversion();
}

}  // namespace decant::chroma
