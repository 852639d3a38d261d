#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pg/result.hpp"

struct pg_conn;

/// pg/: the only user of libpq: connections, transactions, COPY in binary form, SQLSTATE to Error.
/// Works through PgBouncer in transaction mode: no session state is relied on; where a statement that was prepared is
/// not found again, none is prepared from then on.
namespace decant::pg {

/// A parameter of a statement in text form; none is NULL.
using Param = std::optional<std::string>;

/// bytea in the text form that a parameter takes.
std::string bytea(std::string_view bytes);

/// An array in the text form that a parameter takes.
std::string array_literal(const std::vector<std::string>& texts);

/// One statement of a batch.
struct Statement {
    std::string sql;
    std::vector<Param> params = {};
    const std::string* binary = nullptr;  ///< one more parameter, the last, in binary form
};

/// One blocking connection; one thread at a time.
class Connection {
public:
    /// `conninfo` is libpq's (key=value or URI). Throws Error{store_unavailable}, Error{permission_denied},
    /// Error{not_found} (database).
    static Connection open(const std::string& conninfo);

    /// One or more statements without parameters.
    Result exec(std::string_view sql);
    /// One statement with parameters $1...
    Result query(std::string_view sql, const std::vector<Param>& params);
    /// The same with one more parameter, the last, in binary form; its type is what the statement casts it to.
    Result query(std::string_view sql, const std::vector<Param>& params, const std::string& binary);
    /// All in one round trip and one transaction of their own, each prepared once a connection. What one sets by
    /// set_config(…, true) holds for those after it. Not inside a Transaction. Throws the first failure.
    std::vector<Result> run_batch(std::span<const Statement> statements);
    /// As exec, calling `on_tick` about every `interval` while the server works; `on_tick` returning false cancels the
    /// statement, which then throws Error{cancelled}.
    Result exec_watched(std::string_view sql, std::chrono::milliseconds interval, const std::function<bool()>& on_tick);

    /// Waits for a NOTIFY of what this session listens to, and takes all that are there; false when none came in
    /// `span`.
    bool wait_for_notification(std::chrono::milliseconds span);

    std::string quote_identifier(std::string_view name) const;
    std::string quote_literal(std::string_view text) const;

    int server_version() const noexcept;  ///< 150004 is 15.4
    int backend_pid() const noexcept;
    bool is_local() const noexcept;  ///< reached by a Unix socket or loopback
    std::string host() const;
    std::string port() const;
    std::string user() const;
    std::string database() const;

    pg_conn* native() noexcept { return conn_.get(); }

private:
    explicit Connection(pg_conn* conn) noexcept;
    Result send(std::string_view sql, const std::vector<Param>& params, const std::string* binary);
    std::unique_ptr<pg_conn, void (*)(pg_conn*)> conn_;
    std::set<std::string> prepared_;  ///< names of the session's statements
    bool prepares_ = true;            ///< false behind a pooler that gives every transaction another session
};

/// Rolls back when it is destroyed without commit.
class Transaction {
public:
    explicit Transaction(Connection& db, std::string_view begin = "BEGIN");
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    ~Transaction();

    Connection& db() noexcept { return db_; }
    /// Throws Error{commit_in_doubt} when the connection broke after COMMIT was sent.
    void commit();

private:
    Connection& db_;
    bool is_open_ = true;
};

}  // namespace decant::pg
