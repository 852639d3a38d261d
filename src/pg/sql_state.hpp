#pragma once

#include <string>
#include <string_view>

#include "core/error.hpp"

struct pg_conn;
struct pg_result;

namespace decant::pg {

/// The error code that a SQLSTATE stands for (PostgreSQL manual, appendix A).
ErrorCode code_of_sqlstate(std::string_view sqlstate) noexcept;

/// The Error for a failed statement, with the server's own message, detail and hint.
Error statement_error(pg_conn* conn, const pg_result* result);

/// Whether it is one of those, whose words are the server's and not for everybody.
bool is_statement_error(const Error& error) noexcept;

/// The Error for a connection that could not be made or broke.
Error connection_error(pg_conn* conn);

}  // namespace decant::pg
