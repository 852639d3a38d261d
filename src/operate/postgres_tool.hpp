#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/child_process.hpp"
#include "core/error.hpp"

namespace decant::operate {

/// A client program of PostgreSQL.
struct PostgresTool {
    std::string name;     ///< "pg_dump"
    std::string version;  ///< "18.1"
    ProgramCall call;
};

/// 18 of "18.1"; 0 of what is no version.
int major_version(std::string_view version) noexcept;

/// The first of at least `least_major` in PATH, under /usr/lib/postgresql (Debian's) or among the embedded server's
/// programs; `named_installation` is DECANT_POSTGRES_DIR. Throws Error{not_found} naming what was found instead.
PostgresTool find_postgres_tool(std::string_view name, int least_major,
                                const std::optional<std::string>& named_installation);

/// Runs it against the database of `conninfo`, whose passwords go by the environment, and waits. Throws what its
/// failure means: Error{store_full}, Error{permission_denied}, Error{store_unavailable}, Error{store_rejected};
/// Error{cancelled} when this process is interrupted, which ends it.
void run_postgres_tool(const PostgresTool& tool, const std::string& conninfo,
                       const std::vector<std::string>& arguments);

/// `conninfo` with another database.
std::string with_database(const std::string& conninfo, const std::string& database);

/// The path of a program in PATH. Throws Error{not_found}.
std::filesystem::path find_program(std::string_view name);

/// Runs any program that writes files, its messages in English. Throws Error{store_full} where it ran out of space,
/// Error{cancelled}, and what `failure` makes of its last words otherwise.
void run_writer(ProgramCall call, const std::function<Error(const std::string& said)>& failure);

}  // namespace decant::operate
