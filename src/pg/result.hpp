#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct pg_result;

namespace decant::pg {

/// Rows of one statement, text format. Views live as long as the Result.
class Result {
public:
    explicit Result(pg_result* result) noexcept : result_(result, &Result::clear) {}

    int rows() const noexcept;
    bool empty() const noexcept { return rows() == 0; }
    /// Rows that INSERT, UPDATE, DELETE or COPY touched.
    std::uint64_t affected() const;

    bool is_null(int row, int column) const noexcept;
    std::string_view text(int row, int column) const noexcept;
    std::optional<std::string> optional_text(int row, int column) const;
    std::int64_t integer(int row, int column) const;
    double real(int row, int column) const;
    bool boolean(int row, int column) const noexcept { return text(row, column) == "t"; }
    /// A bytea column in hex output form, decoded.
    std::string bytes(int row, int column) const;

private:
    static void clear(pg_result* result) noexcept;
    std::unique_ptr<pg_result, void (*)(pg_result*)> result_;
};

}  // namespace decant::pg
