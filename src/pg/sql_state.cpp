#include "pg/sql_state.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <array>
#include <utility>

namespace decant::pg {
namespace {

constexpr std::string_view statement_error_start = "PostgreSQL at ";

struct StateRow {
    std::string_view prefix;
    ErrorCode code;
};

// Longer prefixes first: the first that fits wins.
constexpr std::array state_table{
    StateRow{"25006", ErrorCode::store_unavailable},  // read-only: a standby, or failed over
    StateRow{"3D000", ErrorCode::not_found},
    StateRow{"42501", ErrorCode::permission_denied},
    StateRow{"42P01", ErrorCode::not_found},
    StateRow{"3F000", ErrorCode::not_found},
    StateRow{"42P07", ErrorCode::conflict},
    StateRow{"2BP01", ErrorCode::conflict},
    StateRow{"53100", ErrorCode::store_full},
    StateRow{"53200", ErrorCode::store_full},
    StateRow{"53300", ErrorCode::store_unavailable},
    StateRow{"53400", ErrorCode::store_rejected},
    StateRow{"55P03", ErrorCode::timed_out},
    StateRow{"55006", ErrorCode::busy},
    StateRow{"57014", ErrorCode::timed_out},
    StateRow{"57P", ErrorCode::store_unavailable},
    StateRow{"25P03", ErrorCode::store_unavailable},  // idle_in_transaction_session_timeout
    StateRow{"25P04", ErrorCode::store_unavailable},  // transaction_timeout
    StateRow{"08", ErrorCode::store_unavailable},
    StateRow{"28", ErrorCode::permission_denied},
    StateRow{"40", ErrorCode::timed_out},
    StateRow{"58", ErrorCode::store_unavailable},
    StateRow{"XX", ErrorCode::store_rejected},
};

/// What libpq tells of a login that was refused; it gives no SQLSTATE. These texts are the server's own, which it does
/// not translate before authentication.
struct Refusal {
    std::string_view text;
    std::string_view remedy;
};

constexpr std::array refusal_table{
    Refusal{"authentication failed", "Check user and password (`decant config` shows where they come from)."},
    Refusal{"no password supplied", "Give the password: in --db, DATABASE_URL, DB_PASSWORD, PGPASSWORD or ~/.pgpass."},
    Refusal{"no pg_hba.conf entry", "Have an administrator admit this host, user and database in pg_hba.conf."},
    Refusal{"role \"", "Name another role, or have an administrator create this one and let it log in."},
};

/// On one line: libpq breaks its messages and indents what follows.
std::string trimmed(const char* text) {
    std::string out;
    for (const char* at = text == nullptr ? "" : text; *at != '\0'; ++at) {
        const bool is_blank = *at == '\n' || *at == '\t' || *at == ' ';
        if (!is_blank)
            out.push_back(*at);
        else if (!out.empty() && out.back() != ' ')
            out.push_back(' ');
    }
    while (!out.empty() && out.back() == ' ')
        out.pop_back();
    return out;
}

std::string field(const pg_result* result, int code) {
    return trimmed(PQresultErrorField(result, code));
}

std::string server_name(pg_conn* conn) {
    return fmt::format("{}:{}/{} as {}", trimmed(PQhost(conn)), trimmed(PQport(conn)), trimmed(PQdb(conn)),
                       trimmed(PQuser(conn)));
}

std::string remedy_of(ErrorCode code, pg_conn* conn) {
    switch (code) {
        case ErrorCode::store_unavailable:
            return "Start the server or wait until it accepts writes, then run the same command again: it goes on.";
        case ErrorCode::permission_denied:
            return fmt::format("Connect as a role that may do this, or have its owner grant it to '{}'.",
                               trimmed(PQuser(conn)));
        case ErrorCode::store_full:
            return "Free space (or memory) on the server, then run the same command again: it goes on.";
        case ErrorCode::timed_out:
            return "Run the same command again: it goes on from the last page; raise the timeout if it happens again.";
        case ErrorCode::not_found:
            return "Check the name, and the database in the connection settings (`decant config` shows them).";
        default:
            return "Nothing was kept of this statement. Mend what the server names and run the same command again.";
    }
}

}  // namespace

ErrorCode code_of_sqlstate(std::string_view sqlstate) noexcept {
    for (const StateRow& row : state_table) {
        if (sqlstate.starts_with(row.prefix)) return row.code;
    }
    return ErrorCode::store_rejected;
}

Error statement_error(pg_conn* conn, const pg_result* result) {
    const std::string sqlstate = field(result, PG_DIAG_SQLSTATE);
    if (sqlstate.empty() || PQstatus(conn) == CONNECTION_BAD) return connection_error(conn);
    const ErrorCode code = code_of_sqlstate(sqlstate);
    std::string happened = fmt::format("{}{} says {} ({})", statement_error_start, server_name(conn),
                                       field(result, PG_DIAG_MESSAGE_PRIMARY), sqlstate);
    // The detail of a constraint that a row breaks is the whole row, with whatever is private in it.
    const bool is_row = sqlstate == "23502" || sqlstate == "23514" || sqlstate == "44000";
    const std::string detail = is_row ? std::string{} : field(result, PG_DIAG_MESSAGE_DETAIL);
    if (!detail.empty()) happened += ": " + detail;
    const std::string hint = field(result, PG_DIAG_MESSAGE_HINT);
    return {code, std::move(happened), hint.empty() ? remedy_of(code, conn) : hint + " " + remedy_of(code, conn)};
}

bool is_statement_error(const Error& error) noexcept {
    return error.happened().starts_with(statement_error_start);
}

Error connection_error(pg_conn* conn) {
    const std::string message = trimmed(PQerrorMessage(conn));
    ErrorCode code = ErrorCode::store_unavailable;
    std::string remedy;
    for (const Refusal& refusal : refusal_table) {
        if (message.find(refusal.text) == std::string::npos) continue;
        code = ErrorCode::permission_denied;
        remedy = refusal.remedy;
        break;
    }
    // "It seems to have just been dropped or renamed": as when a restored one takes its name. It will be back.
    if (code == ErrorCode::store_unavailable && message.find("database \"") != std::string::npos &&
        message.find("does not exist") != std::string::npos && message.find("or renamed") == std::string::npos) {
        code = ErrorCode::not_found;
    } else if (message.starts_with("invalid ")) {
        code = ErrorCode::config_invalid;
        remedy = "Mend it in the connection settings (`decant config` shows where they come from).";
    }
    if (remedy.empty()) remedy = remedy_of(code, conn);
    return {code, fmt::format("No connection to PostgreSQL at {}: {}", server_name(conn), message), std::move(remedy)};
}

}  // namespace decant::pg
