#include "operate/table_digest.hpp"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <map>
#include <string_view>

#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/quantity_text.hpp"
#include "core/sha256.hpp"
#include "pg/copy.hpp"

namespace decant::operate {
namespace {

// What the text form of a value depends on.
constexpr std::string_view settings_sql =
    "SET LOCAL search_path = pg_catalog; SET LOCAL row_security = off; SET LOCAL timezone = 'UTC'; "
    "SET LOCAL datestyle = 'ISO'; SET LOCAL intervalstyle = 'postgres'; SET LOCAL bytea_output = 'hex'; "
    "SET LOCAL extra_float_digits = 1; SET LOCAL statement_timeout = 0";

// Values in binary form, unless that holds an oid, which another database gives anew: arrays and rows of types that
// were made in it, and the names of its objects. Tables of extensions are the extensions' own.
constexpr std::string_view tables_sql = R"sql(
SELECT n.nspname, c.relname,
       format('COPY (SELECT %s FROM ONLY %I.%I) TO STDOUT (FORMAT binary)',
              coalesce(string_agg(format(CASE WHEN t.typtype = 'b' AND t.typsend::oid <> 0
                                                   AND (t.oid < 16384 AND t.typname !~ '^_?reg'
                                                        OR t.typname IN ('vector', 'halfvec'))
                                              THEN '%I' ELSE '%I::text' END, a.attname), ', ' ORDER BY a.attnum), ''),
              n.nspname, c.relname),
       coalesce(max(a.atttypmod) FILTER (WHERE t.typname IN ('vector', 'halfvec') AND a.atttypmod > 0), 0)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated <> 'v'
LEFT JOIN pg_type t ON t.oid = a.atttypid
WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
GROUP BY n.nspname, c.relname
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C")sql";

constexpr std::uint64_t rows_a_look = 4096;

/// Addition does not mind the order.
class RowSum {
public:
    void add(std::string_view row) {
        const Digest digest = sha256(row);
        std::array<std::uint64_t, 4> words{};
        std::memcpy(words.data(), digest.data(), digest.size());
        for (std::size_t i = 0; i < words.size(); ++i)
            sum_[i] += words[i];
    }
    std::string text() const { return fmt::format("{:016x}{:016x}{:016x}{:016x}", sum_[0], sum_[1], sum_[2], sum_[3]); }

private:
    std::array<std::uint64_t, 4> sum_{};
};

void digest_rows(pg::Connection& db, std::string_view copy_sql, TableDigest& table) {
    RowSum sum;
    pg::CopyOut rows{db, copy_sql};
    while (const auto row = rows.next()) {
        sum.add(*row);
        if (++table.rows % rows_a_look == 0 && interrupted())
            throw Error{ErrorCode::cancelled, "Interrupted while tables were read", "Run the same command again."};
    }
    table.digest = sum.text();
}

std::map<std::string, const TableDigest*> by_name(const std::vector<TableDigest>& tables) {
    std::map<std::string, const TableDigest*> named;
    for (const TableDigest& table : tables)
        named.emplace(table.shown(), &table);
    return named;
}

}  // namespace

std::vector<std::string> digested_tables(pg::Connection& db) {
    const pg::Result found = db.exec(tables_sql);
    std::vector<std::string> quoted;
    for (int row = 0; row < found.rows(); ++row) {
        quoted.push_back(
            fmt::format("{}.{}", db.quote_identifier(found.text(row, 0)), db.quote_identifier(found.text(row, 1))));
    }
    return quoted;
}

void lock_tables(pg::Connection& db, const std::vector<std::string>& quoted) {
    if (quoted.empty()) return;
    db.exec(
        fmt::format("SET LOCAL lock_timeout = '60s'; LOCK TABLE ONLY {} IN ACCESS SHARE MODE; "
                    "SET LOCAL lock_timeout = 0",
                    fmt::join(quoted, ", ONLY ")));
}

std::vector<TableDigest> digest_tables(pg::Connection& db) {
    db.exec(settings_sql);
    const pg::Result found = db.exec(tables_sql);
    std::vector<TableDigest> tables;
    for (int row = 0; row < found.rows(); ++row) {
        TableDigest table{.schema = std::string{found.text(row, 0)},
                          .name = std::string{found.text(row, 1)},
                          .rows = 0,
                          .digest = {},
                          .dimension = static_cast<std::uint32_t>(found.integer(row, 3))};
        digest_rows(db, found.text(row, 2), table);
        tables.push_back(std::move(table));
    }
    return tables;
}

std::vector<std::string> differences(const std::vector<TableDigest>& expected, const std::vector<TableDigest>& found) {
    std::vector<std::string> said;
    auto there = by_name(found);
    for (const TableDigest& table : expected) {
        const auto at = there.find(table.shown());
        if (at == there.end()) {
            said.push_back(fmt::format("table {} is missing", table.shown()));
            continue;
        }
        if (at->second->rows != table.rows) {
            said.push_back(fmt::format("table {} has {} rows in the place of {}", table.shown(),
                                       grouped(at->second->rows), grouped(table.rows)));
        } else if (at->second->digest != table.digest) {
            said.push_back(fmt::format("table {} has other values", table.shown()));
        }
        there.erase(at);
    }
    for (const auto& [name, table] : there)
        said.push_back(fmt::format("table {} was not in the backup", name));
    return said;
}

}  // namespace decant::operate
