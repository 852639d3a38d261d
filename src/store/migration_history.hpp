#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pg/connection.hpp"

namespace decant::store {

/// What the last comparison of a migration's rows with their source found.
struct MigrationCheck {
    bool is_equal = false;
    std::uint64_t compared = 0;
    std::uint64_t differences = 0;
};

/// What is told of a row of decant.runs, which migrate/ writes.
struct MigrationSummary {
    std::int64_t id = 0;
    std::string command;  ///< copy, into, migrate
    std::string state;    ///< running, stopped, failed, done, differs, abandoned, rolled_back
    std::string table;    ///< with its schema
    std::string source;
    std::string collection;
    std::uint64_t read = 0;
    std::uint64_t written = 0;  ///< copied or updated
    std::uint64_t unchanged = 0;
    std::uint64_t rejected = 0;
    std::string started_at;                  ///< UTC, ISO 8601
    std::optional<std::string> finished_at;  ///< the same
    std::optional<MigrationCheck> check;     ///< none: not compared
    std::optional<double> recall;            ///< of the index, where it was measured
};

/// The newest first. Nothing where nothing was ever migrated into this database, or this role may not know of it.
std::vector<MigrationSummary> read_migration_history(pg::Connection& db, std::size_t limit);

}  // namespace decant::store
