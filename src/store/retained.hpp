#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "pg/connection.hpp"

namespace decant::store {

/// One kind of rows that are kept for a time.
struct Retained {
    std::string name;                                     ///< for the log: "search events"
    std::function<std::uint64_t(pg::Connection&)> prune;  ///< removes what is too old; its number
};

}  // namespace decant::store
