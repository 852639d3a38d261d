#include "pg/connection.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <array>
#include <utility>

#include "pg/sql_state.hpp"

namespace decant::pg {
namespace {

using ResultPointer = std::unique_ptr<PGresult, decltype(&PQclear)>;

bool is_success(const PGresult* result) noexcept {
    const ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_COPY_IN ||
           status == PGRES_COPY_OUT;
}

/// Reads all results of the statements under way, each after `wait`; gives the last, throws the first failure.
Result collect(PGconn* conn, const std::function<void()>& wait = [] {}) {
    ResultPointer last{nullptr, &PQclear};
    ResultPointer failed{nullptr, &PQclear};
    for (;;) {
        wait();
        PGresult* next = PQgetResult(conn);
        if (next == nullptr) break;
        ResultPointer owned{next, &PQclear};
        const ExecStatusType status = PQresultStatus(next);
        if (!is_success(next) && !failed)
            failed = std::move(owned);
        else
            last = std::move(owned);
        if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT) break;
    }
    if (failed) throw statement_error(conn, failed.get());
    if (!last) throw connection_error(conn);
    return Result{last.release()};
}

void request_cancel(PGconn* conn) noexcept {
    const std::unique_ptr<PGcancel, decltype(&PQfreeCancel)> cancel{PQgetCancel(conn), &PQfreeCancel};
    std::array<char, 256> message{};
    if (cancel) PQcancel(cancel.get(), message.data(), static_cast<int>(message.size()));
}

}  // namespace

std::string bytea(std::string_view bytes) {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string out(2 + 2 * bytes.size(), '\\');
    out[1] = 'x';
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const auto byte = static_cast<unsigned char>(bytes[i]);
        out[2 + 2 * i] = digits[byte >> 4U];
        out[3 + 2 * i] = digits[byte & 15U];
    }
    return out;
}

std::string array_literal(const std::vector<std::string>& texts) {
    std::string out = "{";
    for (const std::string& text : texts) {
        if (out.size() > 1) out.push_back(',');
        out.push_back('"');
        for (const char c : text) {
            if (c == '"' || c == '\\') out.push_back('\\');
            out.push_back(c);
        }
        out.push_back('"');
    }
    out.push_back('}');
    return out;
}

Connection::Connection(pg_conn* conn) noexcept : conn_(conn, &PQfinish) {}

Connection Connection::open(const std::string& conninfo) {
    // What stands before dbname gives way to the conninfo's own settings, what stands after it wins. A network that
    // swallows packets is noticed after about a minute.
    const std::array<const char*, 9> keys{"connect_timeout",  "keepalives_idle",  "keepalives_interval",
                                          "keepalives_count", "tcp_user_timeout", "fallback_application_name",
                                          "dbname",           "client_encoding",  nullptr};
    const std::array<const char*, 9> values{"10",   "30",   "10", "3", "60000", "decant", conninfo.c_str(),
                                            "UTF8", nullptr};
    Connection db{PQconnectdbParams(keys.data(), values.data(), 1)};
    if (db.native() == nullptr) throw std::bad_alloc{};
    if (PQstatus(db.native()) != CONNECTION_OK) throw connection_error(db.native());
    PQsetNoticeProcessor(db.native(), [](void*, const char*) {}, nullptr);
    return db;
}

Result Connection::exec(std::string_view sql) {
    const std::string text{sql};
    if (PQsendQuery(native(), text.c_str()) == 0) throw connection_error(native());
    return collect(native());
}

Result Connection::query(std::string_view sql, const std::vector<Param>& params) {
    return send(sql, params, nullptr);
}

Result Connection::query(std::string_view sql, const std::vector<Param>& params, const std::string& binary) {
    return send(sql, params, &binary);
}

Result Connection::send(std::string_view sql, const std::vector<Param>& params, const std::string* binary) {
    const std::string text{sql};
    std::vector<const char*> values;
    values.reserve(params.size() + 1);
    for (const Param& param : params)
        values.push_back(param ? param->c_str() : nullptr);
    std::vector<int> lengths(params.size() + 1);
    std::vector<int> formats(params.size() + 1);
    if (binary != nullptr) {
        values.push_back(binary->data());
        lengths.back() = static_cast<int>(binary->size());
        formats.back() = 1;
    }
    if (PQsendQueryParams(native(), text.c_str(), static_cast<int>(values.size()), nullptr, values.data(),
                          lengths.data(), formats.data(), 0) == 0) {
        throw connection_error(native());
    }
    return collect(native());
}

bool Connection::wait_for_notification(std::chrono::milliseconds span) {
    const auto take = [&] {
        bool took = false;
        while (PGnotify* note = PQnotifies(native())) {
            PQfreemem(note);
            took = true;
        }
        return took;
    };
    if (take()) return true;
    pollfd socket{.fd = PQsocket(native()), .events = POLLIN, .revents = 0};
    if (poll(&socket, 1, static_cast<int>(span.count())) <= 0) return false;
    if (PQconsumeInput(native()) == 0) throw connection_error(native());
    return take();
}

Result Connection::exec_watched(std::string_view sql, std::chrono::milliseconds interval,
                                const std::function<bool()>& on_tick) {
    const std::string text{sql};
    if (PQsendQuery(native(), text.c_str()) == 0) throw connection_error(native());
    bool is_cancelled = false;
    const auto wait = [&] {
        while (PQisBusy(native()) != 0) {
            pollfd socket{.fd = PQsocket(native()), .events = POLLIN, .revents = 0};
            const int ready = poll(&socket, 1, static_cast<int>(interval.count()));
            if (ready > 0 && PQconsumeInput(native()) == 0) throw connection_error(native());
            if (ready > 0 || is_cancelled) continue;
            try {
                is_cancelled = !on_tick();
            } catch (...) {
                // Left alone, the statement would be waited for before the failure is told.
                request_cancel(native());
                throw;
            }
            if (is_cancelled) request_cancel(native());
        }
    };
    try {
        return collect(native(), wait);
    } catch (const Error&) {
        if (!is_cancelled) throw;
        throw Error{ErrorCode::cancelled, "Interrupted: the statement under way was cancelled", "Run it again."};
    }
}

std::string Connection::quote_identifier(std::string_view name) const {
    const std::unique_ptr<char, decltype(&PQfreemem)> quoted{PQescapeIdentifier(conn_.get(), name.data(), name.size()),
                                                             &PQfreemem};
    if (!quoted) throw connection_error(conn_.get());
    return quoted.get();
}

std::string Connection::quote_literal(std::string_view text) const {
    const std::unique_ptr<char, decltype(&PQfreemem)> quoted{PQescapeLiteral(conn_.get(), text.data(), text.size()),
                                                             &PQfreemem};
    if (!quoted) throw connection_error(conn_.get());
    return quoted.get();
}

int Connection::server_version() const noexcept {
    return PQserverVersion(conn_.get());
}

int Connection::backend_pid() const noexcept {
    return PQbackendPID(conn_.get());
}

bool Connection::is_local() const noexcept {
    const std::string_view host = PQhost(conn_.get());
    return host.empty() || host.starts_with('/') || host == "localhost" || host.starts_with("127.") || host == "::1";
}

std::string Connection::host() const {
    return PQhost(conn_.get());
}

std::string Connection::port() const {
    return PQport(conn_.get());
}

std::string Connection::user() const {
    return PQuser(conn_.get());
}

std::string Connection::database() const {
    return PQdb(conn_.get());
}

Transaction::Transaction(Connection& db, std::string_view begin) : db_(db) {
    db_.exec(begin);
}

Transaction::~Transaction() {
    if (!is_open_ || PQstatus(db_.native()) != CONNECTION_OK) return;
    ResultPointer drained{nullptr, &PQclear};
    if (PQtransactionStatus(db_.native()) == PQTRANS_ACTIVE) {
        PQputCopyEnd(db_.native(), "rolled back");
        while (PGresult* next = PQgetResult(db_.native())) {
            drained.reset(next);
            if (PQresultStatus(next) == PGRES_COPY_OUT) return;  // the connection is of no more use
        }
    }
    drained.reset(PQexec(db_.native(), "ROLLBACK"));
}

void Transaction::commit() {
    is_open_ = false;
    try {
        const Result committed = db_.exec("COMMIT");
    } catch (const Error& error) {
        if (PQstatus(db_.native()) == CONNECTION_OK) throw;
        throw Error{ErrorCode::commit_in_doubt,
                    fmt::format("The connection broke after COMMIT was sent: {}", error.happened()),
                    "Run the same command again: it first asks the server what was committed."};
    }
}

}  // namespace decant::pg
