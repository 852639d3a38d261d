#include "pg/result.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <charconv>
#include <cstdlib>

#include "core/error.hpp"

namespace decant::pg {
namespace {

Error not_a_number(std::string_view text) {
    return {ErrorCode::internal, fmt::format("Expected a number from PostgreSQL, got '{}'", text),
            "Report this with the command and the server's version."};
}

int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    return c - 'a' + 10;
}

}  // namespace

void Result::clear(pg_result* result) noexcept {
    PQclear(result);
}

int Result::rows() const noexcept {
    return PQntuples(result_.get());
}

std::uint64_t Result::affected() const {
    const std::string_view text = PQcmdTuples(result_.get());
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

bool Result::is_null(int row, int column) const noexcept {
    return PQgetisnull(result_.get(), row, column) != 0;
}

std::string_view Result::text(int row, int column) const noexcept {
    return {PQgetvalue(result_.get(), row, column), static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::optional<std::string> Result::optional_text(int row, int column) const {
    if (is_null(row, column)) return std::nullopt;
    return std::string{text(row, column)};
}

std::int64_t Result::integer(int row, int column) const {
    const std::string_view value = text(row, column);
    std::int64_t out = 0;
    const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), out);
    if (failure != std::errc{} || end != value.data() + value.size()) throw not_a_number(value);
    return out;
}

double Result::real(int row, int column) const {
    const std::string_view value = text(row, column);
    double out = 0;
    const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), out);
    if (failure != std::errc{} || end != value.data() + value.size()) throw not_a_number(value);
    return out;
}

std::string Result::bytes(int row, int column) const {
    std::string_view hex = text(row, column);
    if (hex.starts_with("\\x")) hex.remove_prefix(2);
    std::string out(hex.size() / 2, '\0');
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = static_cast<char>(hex_digit(hex[2 * i]) * 16 + hex_digit(hex[2 * i + 1]));
    }
    return out;
}

}  // namespace decant::pg
