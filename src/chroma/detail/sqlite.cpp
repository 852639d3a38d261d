#include "chroma/detail/sqlite.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <system_error>
#include <utility>

#include "core/error.hpp"

namespace decant::chroma::detail {
namespace {

constexpr int busy_timeout_ms = 5000;

[[noreturn]] void throw_fault(sqlite3* db, int code) {
    const char* name = sqlite3_db_filename(db, "main");
    const std::string file = name != nullptr ? name : "chroma.sqlite3";
    const std::string text = sqlite3_errmsg(db);
    switch (code & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            throw Error{ErrorCode::busy,
                        fmt::format("{} stayed locked for {} s: {}.", file, busy_timeout_ms / 1000, text),
                        "wait until the other process has finished its write, then run the command again"};
        case SQLITE_PERM:
        case SQLITE_AUTH:
            throw Error{ErrorCode::permission_denied, fmt::format("{} may not be read: {}.", file, text),
                        "run as a user that may read the Chroma directory"};
        default:
            throw Error{ErrorCode::source_unreadable, fmt::format("{} cannot be read: {}.", file, text),
                        "restore it from a backup; `sqlite3 FILE .recover` on a copy may save rows"};
    }
}

bool is_damage(int code) {
    const int primary = code & 0xff;
    return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB || code == SQLITE_IOERR_SHORT_READ;
}

}  // namespace

Statement::Statement(sqlite3* db, const char* sql) : db_(db) {
    const int code = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement_, nullptr);
    if (code != SQLITE_OK) {
        throw_fault(db, code);
    }
}

Statement::Statement(Statement&& other) noexcept
    : db_(other.db_), statement_(std::exchange(other.statement_, nullptr)) {}

Statement::~Statement() {
    sqlite3_finalize(statement_);
}

Statement& Statement::bind(int index, std::int64_t value) {
    sqlite3_bind_int64(statement_, index, value);
    return *this;
}

Statement& Statement::bind(int index, std::string_view text) {
    // A null data pointer would bind NULL, which no text equals.
    const char* data = text.data() != nullptr ? text.data() : "";
    sqlite3_bind_text64(statement_, index, data, text.size(), SQLITE_STATIC, SQLITE_UTF8);
    return *this;
}

bool Statement::step() {
    const Step outcome = try_step();
    if (outcome == Step::damaged) {
        throw_fault(db_, SQLITE_CORRUPT);
    }
    return outcome == Step::row;
}

Step Statement::try_step() {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) {
        return Step::row;
    }
    if (code == SQLITE_DONE) {
        return Step::done;
    }
    if (is_damage(code)) {
        return Step::damaged;
    }
    throw_fault(db_, code);
}

void Statement::reset() noexcept {
    sqlite3_reset(statement_);
}

std::string_view Statement::text(int column) const noexcept {
    const unsigned char* data = sqlite3_column_text(statement_, column);
    if (data == nullptr) {
        return {};
    }
    return {reinterpret_cast<const char*>(data), static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::span<const std::byte> Statement::blob(int column) const noexcept {
    const void* data = sqlite3_column_blob(statement_, column);
    if (data == nullptr) {
        return {};
    }
    return {static_cast<const std::byte*>(data), static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::optional<std::uint64_t> Statement::seq_id(int column) const noexcept {
    if (type(column) == SQLITE_INTEGER) {
        return static_cast<std::uint64_t>(std::max<std::int64_t>(0, integer(column)));
    }
    const auto bytes = type(column) == SQLITE_BLOB ? blob(column) : std::span<const std::byte>{};
    if (bytes.size() != 8) {
        return std::nullopt;
    }
    std::uint64_t value = 0;
    for (const std::byte byte : bytes) {
        value = value << 8U | std::to_integer<std::uint64_t>(byte);
    }
    return value;
}

Database::Database(const std::filesystem::path& file, Access access) {
    const int flags = access == Access::read_source ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    // Before sqlite's first use in the process: else every allocation takes a lock to be counted.
    [[maybe_unused]] static const int configured = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    const int code = sqlite3_open_v2(file.c_str(), &db_, flags | SQLITE_OPEN_NOMUTEX, nullptr);
    if (code != SQLITE_OK) {
        const std::string text = db_ != nullptr ? sqlite3_errmsg(db_) : "out of memory";
        sqlite3_close(std::exchange(db_, nullptr));
        throw Error{ErrorCode::source_unreadable, fmt::format("{} cannot be opened: {}.", file.string(), text),
                    "give a directory whose chroma.sqlite3 this user may read"};
    }
    sqlite3_extended_result_codes(db_, 1);
    sqlite3_busy_timeout(db_, busy_timeout_ms);
    sqlite3_db_config(db_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(db_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(db_, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
    sqlite3_db_config(db_, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
    std::error_code ignored;
    const auto size = std::filesystem::file_size(file, ignored);
    file_bytes_ = ignored ? 0 : size;
    const auto longest = std::clamp<std::uintmax_t>(file_bytes_, std::uintmax_t{1} << 20U, 1'000'000'000);
    sqlite3_limit(db_, SQLITE_LIMIT_LENGTH, static_cast<int>(longest));
    sqlite3_limit(db_, SQLITE_LIMIT_ATTACHED, 0);
    try {
        // As sqlite advises for files that are not trusted: cells checked as pages come in, no memory mapping (which is
        // no faster once cells are checked, and a file that shrinks would be a SIGBUS).
        execute("PRAGMA cell_size_check = ON");
        execute("PRAGMA mmap_size = 0");
        execute("PRAGMA cache_size = -8192");
    } catch (...) {
        sqlite3_close(std::exchange(db_, nullptr));
        throw;
    }
}

Database::Database(Database&& other) noexcept
    : db_(std::exchange(other.db_, nullptr)), file_bytes_(other.file_bytes_) {}

Database::~Database() {
    sqlite3_close(db_);
}

void Database::execute(const char* sql) const {
    Statement statement = prepare(sql);
    while (statement.step()) {
    }
}

bool Database::has_table(std::string_view name) const {
    Statement statement = prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1 AND rootpage > 0");
    return statement.bind(1, name).step();
}

bool Database::has_column(std::string_view table, std::string_view column) const {
    Statement statement = prepare("SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2");
    return statement.bind(1, table).bind(2, column).step();
}

void Database::end_read() const noexcept {
    // Ending a read has nothing to lose; were it to fail, the next BEGIN would say so.
    sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
}

namespace {

constexpr auto touch_schema = "SELECT count(*) FROM sqlite_master";

/// A connection without any setting: only for locks.
class LockProbe {
public:
    LockProbe(const std::filesystem::path& file, int timeout_ms) {
        sqlite3_open_v2(file.c_str(), &db_, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
        sqlite3_extended_result_codes(db_, 1);
        sqlite3_busy_timeout(db_, timeout_ms);
    }
    LockProbe(const LockProbe&) = delete;
    LockProbe& operator=(const LockProbe&) = delete;
    ~LockProbe() { sqlite3_close(db_); }

    int run(const char* sql) { return sqlite3_exec(db_, sql, nullptr, nullptr, nullptr); }
    sqlite3* handle() const noexcept { return db_; }

private:
    sqlite3* db_ = nullptr;
};

}  // namespace

void throw_malformed_table(std::string_view table) {
    throw Error{ErrorCode::source_unreadable,
                fmt::format("chroma.sqlite3 is damaged: the rows of {} are out of order.", table),
                "restore it from a backup; `sqlite3 FILE .recover` on a copy may save rows"};
}

bool is_locked(const std::filesystem::path& file) {
    return (LockProbe{file, 0}.run(touch_schema) & 0xff) == SQLITE_BUSY;
}

bool uses_write_ahead_log(const std::filesystem::path& file) {
    constexpr std::size_t version_offset = 18;
    char header[20]{};
    std::ifstream{file, std::ios::binary}.read(header, sizeof header);
    return header[version_offset] == 2 || header[version_offset + 1] == 2;
}

bool with_shared_lock(const std::filesystem::path& file, const std::function<void()>& action) {
    LockProbe probe{file, busy_timeout_ms};
    probe.run("BEGIN");
    const int code = probe.run(touch_schema);
    if ((code & 0xff) == SQLITE_BUSY) {
        throw_fault(probe.handle(), code);
    }
    if (code == SQLITE_OK) {
        action();
    }
    return code == SQLITE_OK;
}

}  // namespace decant::chroma::detail
