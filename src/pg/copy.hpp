#pragma once

#include <optional>
#include <string_view>

#include "pg/connection.hpp"

namespace decant::pg {

/// COPY ... FROM STDIN (FORMAT binary). Tuples are made by BinaryRow; header and trailer are written here.
/// Format: PostgreSQL manual, COPY, "Binary Format".
class CopyIn {
public:
    /// `sql` is the whole COPY statement; statements before it (as "BEGIN; ...") may stand in the same string.
    CopyIn(Connection& db, std::string_view sql);
    /// Any number of whole tuples.
    void write(std::string_view tuples);
    /// Throws what the server found wrong with the rows.
    void finish();

private:
    void put(std::string_view bytes);
    Connection& db_;
};

/// COPY ... TO STDOUT (FORMAT binary), tuple by tuple.
class CopyOut {
public:
    CopyOut(Connection& db, std::string_view sql);
    ~CopyOut();
    CopyOut(const CopyOut&) = delete;
    CopyOut& operator=(const CopyOut&) = delete;

    /// The bytes of the next tuple, as BinaryRow writes them; none at the end. The view dies at the next call.
    std::optional<std::string_view> next();

private:
    Connection& db_;
    char* buffer_ = nullptr;
    bool is_first_ = true;
};

}  // namespace decant::pg
