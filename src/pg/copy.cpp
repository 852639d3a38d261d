#include "pg/copy.hpp"

#include <libpq-fe.h>

#include <algorithm>

#include "pg/sql_state.hpp"

namespace decant::pg {
namespace {

using namespace std::string_view_literals;

// Signature, flags (none), length of the header extension (none).
constexpr std::string_view header = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0"sv;
constexpr std::string_view trailer = "\377\377"sv;
// libpq keeps what it is given until the socket takes it: small pieces keep its buffer small.
constexpr std::size_t piece_bytes = 128UL * 1024;

}  // namespace

CopyIn::CopyIn(Connection& db, std::string_view sql) : db_(db) {
    const Result ready = db_.exec(sql);
    put(header);
}

void CopyIn::put(std::string_view bytes) {
    if (PQputCopyData(db_.native(), bytes.data(), static_cast<int>(bytes.size())) != 1) {
        throw connection_error(db_.native());
    }
}

void CopyIn::write(std::string_view tuples) {
    for (std::size_t at = 0; at < tuples.size(); at += piece_bytes)
        put(tuples.substr(at, piece_bytes));
}

void CopyIn::finish() {
    put(trailer);
    if (PQputCopyEnd(db_.native(), nullptr) != 1) throw connection_error(db_.native());
    std::unique_ptr<PGresult, decltype(&PQclear)> failed{nullptr, &PQclear};
    bool has_result = false;
    while (PGresult* next = PQgetResult(db_.native())) {
        has_result = true;
        if (PQresultStatus(next) == PGRES_COMMAND_OK || failed)
            PQclear(next);
        else
            failed.reset(next);
    }
    if (failed) throw statement_error(db_.native(), failed.get());
    if (!has_result) throw connection_error(db_.native());
}

CopyOut::CopyOut(Connection& db, std::string_view sql) : db_(db) {
    const Result ready = db_.exec(sql);
}

CopyOut::~CopyOut() {
    if (buffer_ != nullptr) PQfreemem(buffer_);
}

std::optional<std::string_view> CopyOut::next() {
    if (buffer_ != nullptr) PQfreemem(buffer_);
    buffer_ = nullptr;
    const int length = PQgetCopyData(db_.native(), &buffer_, 0);
    if (length < 0) {
        std::unique_ptr<PGresult, decltype(&PQclear)> last{PQgetResult(db_.native()), &PQclear};
        if (length == -2 || !last) throw connection_error(db_.native());
        if (PQresultStatus(last.get()) != PGRES_COMMAND_OK) throw statement_error(db_.native(), last.get());
        while (PGresult* rest = PQgetResult(db_.native()))
            PQclear(rest);
        return std::nullopt;
    }
    std::string_view row{buffer_, static_cast<std::size_t>(length)};
    if (is_first_) row.remove_prefix(std::min(header.size(), row.size()));
    is_first_ = false;
    // The trailer comes as a row of its own, or (empty result) together with the header.
    if (row.size() <= trailer.size()) return next();
    return row;
}

}  // namespace decant::pg
