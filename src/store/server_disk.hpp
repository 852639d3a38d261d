#pragma once

#include <cstdint>
#include <optional>

#include "pg/connection.hpp"

namespace decant::store {

/// Free bytes of the server's disk where it can be known: on this machine, in a folder that may be looked at.
std::optional<std::uint64_t> free_server_bytes(pg::Connection& db);

}  // namespace decant::store
