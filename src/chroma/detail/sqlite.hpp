#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace decant::chroma::detail {

/// What a step of a statement found. Damage is a value: the caller decides what can still be had.
enum class Step { row, done, damaged };

/// One prepared statement. Views of columns live until the next step or reset.
class Statement {
public:
    Statement(sqlite3* db, const char* sql);
    Statement(Statement&& other) noexcept;
    Statement& operator=(Statement&&) = delete;
    ~Statement();

    Statement& bind(int index, std::int64_t value);
    /// The text is not copied: it must live until the next bind or reset.
    Statement& bind(int index, std::string_view text);

    /// Throws Error: source_unreadable for damage, busy when the file stays locked.
    bool step();
    /// As step, but damage of the file is an answer.
    Step try_step();
    void reset() noexcept;

    bool is_null(int column) const noexcept { return type(column) == SQLITE_NULL; }
    int type(int column) const noexcept { return sqlite3_column_type(statement_, column); }
    std::int64_t integer(int column) const noexcept { return sqlite3_column_int64(statement_, column); }
    double real(int column) const noexcept { return sqlite3_column_double(statement_, column); }
    /// By length, not up to a NUL: texts may hold one.
    std::string_view text(int column) const noexcept;
    std::span<const std::byte> blob(int column) const noexcept;
    /// A seq_id: an integer, or eight big-endian bytes as 0.x wrote it. None where it is neither.
    std::optional<std::uint64_t> seq_id(int column) const noexcept;

private:
    sqlite3* db_;
    sqlite3_stmt* statement_ = nullptr;
};

/// Why a connection is made: reading a source, or rolling back the hot journal of a private copy.
enum class Access { read_source, recover_copy };

/// A connection to a chroma.sqlite3 that is not trusted: no views, no triggers, no schema functions, and no cell longer
/// than the file. Reads never write to the source. One thread at a time.
class Database {
public:
    /// Throws Error{source_unreadable} for a file that is no sqlite database or needs a rollback.
    explicit Database(const std::filesystem::path& file, Access access = Access::read_source);
    Database(Database&& other) noexcept;
    Database& operator=(Database&&) = delete;
    ~Database();

    Statement prepare(const char* sql) const { return Statement{db_, sql}; }
    void execute(const char* sql) const;
    void end_read() const noexcept;

    /// The file's size when it was opened: nothing that is read of it can honestly be larger.
    std::uint64_t file_bytes() const noexcept { return file_bytes_; }

    /// Real tables only: a view of that name is none.
    bool has_table(std::string_view name) const;
    bool has_column(std::string_view table, std::string_view column) const;

private:
    sqlite3* db_ = nullptr;
    std::uint64_t file_bytes_ = 0;
};

/// A read transaction: everything read in it is of one moment. Held shortly: a held one blocks Chroma's writers.
class ReadTransaction {
public:
    explicit ReadTransaction(const Database& db) : db_(db) { db_.execute("BEGIN"); }
    ReadTransaction(const ReadTransaction&) = delete;
    ReadTransaction& operator=(const ReadTransaction&) = delete;
    ~ReadTransaction() { db_.end_read(); }

private:
    const Database& db_;
};

/// Throws Error{source_unreadable} for rows out of order or too many, which only a damaged or crafted file has: a page
/// that stands in two places of a tree could be read without end.
[[noreturn]] void throw_malformed_table(std::string_view table);

/// Whether another process holds a lock that keeps readers out right now.
bool is_locked(const std::filesystem::path& file);

/// Whether its header asks for a write-ahead log, which even a reader would create beside it. Chroma's own never does.
bool uses_write_ahead_log(const std::filesystem::path& file);

/// Runs `action` while no other process can write to `file`: they wait. False, without running it, when the database
/// must be rolled back first. Throws Error{busy}.
bool with_shared_lock(const std::filesystem::path& file, const std::function<void()>& action);

}  // namespace decant::chroma::detail
