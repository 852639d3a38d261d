#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pg/connection.hpp"

namespace decant::operate {

/// What stands in one table. Equal digests: the same rows, whatever their order and their place on the disk.
struct TableDigest {
    std::string schema;
    std::string name;
    std::uint64_t rows = 0;
    std::string digest;           ///< 64 hexadecimal digits: the sum of the rows' SHA-256, modulo 2^64 in each quarter
    std::uint32_t dimension = 0;  ///< of its widest vector column; 0: it has none

    std::string shown() const { return schema + "." + name; }
};

/// Keeps those tables as they are until the transaction ends: nobody drops, swaps, empties or changes them meanwhile.
/// To be called before the transaction has a snapshot. Throws Error{timed_out} after a minute.
void lock_tables(pg::Connection& db, const std::vector<std::string>& quoted);
/// Those tables' quoted names.
std::vector<std::string> digested_tables(pg::Connection& db);

/// Every row of every table of the connected database that pg_dump dumps, vectors included, in the order of schema and
/// name. Reads all of them: call in a transaction that sees one moment. Throws Error{permission_denied} for a table
/// that this role may not read, Error{cancelled}.
std::vector<TableDigest> digest_tables(pg::Connection& db);

/// One sentence a table that differs, is missing, or is there and was not expected.
std::vector<std::string> differences(const std::vector<TableDigest>& expected, const std::vector<TableDigest>& found);

}  // namespace decant::operate
