#pragma once

#include <span>
#include <string_view>

namespace decant::store {

/// One pair of files of migrations/, as they were when the program was built. Plain SQL, safe to run twice.
struct Migration {
    int version;            ///< 0, 1, ... in order
    std::string_view name;  ///< "001_add_pgvector_support"
    std::string_view up;
    std::string_view down;
};

/// In order.
std::span<const Migration> all_migrations() noexcept;

}  // namespace decant::store
