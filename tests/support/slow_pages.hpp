#pragma once

#include <string>

#include "pg/connection.hpp"

namespace decant::test {

/// From now on every page that a copy commits in this database takes `seconds` longer, so that a test can meet it on
/// its way. For databases that no copy has touched yet.
void slow_down_pages(pg::Connection& db, const std::string& seconds);

/// Pages committed so far by all runs; 0 before the first run.
std::int64_t pages_committed(pg::Connection& db);

}  // namespace decant::test
