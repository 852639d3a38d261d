#include "search/scan_choice.hpp"

#include <algorithm>
#include <cmath>

namespace decant::search {
namespace {

// To the planner a sequential scan looks cheap, because it does not count vectors that are stored apart.
constexpr std::string_view index_settings_sql =
    "SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true), set_config('hnsw.ef_search', $1, true), "
    "set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true)";

// Microseconds, on two cores: a row that the index visits with the neighbours it compares, and one row compared alone.
constexpr double visit_cost = 15;
constexpr double compare_cost = 2;
constexpr std::uint64_t least_more_rows = 20;
constexpr std::uint64_t most_ef_search = 1'000;

std::string short_line(std::string line) {
    const std::size_t begin = line.find("'[");
    const std::size_t end = line.find("]'", begin == std::string::npos ? line.size() : begin);
    return end == std::string::npos ? line : line.replace(begin, end + 2 - begin, "'[...]'");
}

}  // namespace

std::uint64_t more_rows(std::uint64_t wanted) noexcept {
    return wanted + least_more_rows;
}

Scan cheaper_scan(std::uint64_t wanted, std::uint64_t passing, std::uint64_t rows) noexcept {
    // The index visits about `wanted` rows for each that passes.
    const auto all = static_cast<double>(std::max<std::uint64_t>(rows, 1));
    const auto some = static_cast<double>(std::clamp<std::uint64_t>(passing, 1, rows + 1));
    const double visited = std::min(static_cast<double>(wanted) * all / some, all);
    return some * compare_cost < visited * visit_cost ? Scan::exact : Scan::index;
}

std::uint64_t ef_search_for(std::uint64_t wanted, double recall) noexcept {
    const double missed = 1 - std::clamp(recall, 0.5, 0.999);
    const double more = std::max(1.0, std::sqrt(0.1 / missed));
    return std::clamp<std::uint64_t>(static_cast<std::uint64_t>(2 * more * static_cast<double>(wanted)), 40,
                                     most_ef_search);
}

pg::Statement index_settings(std::uint64_t ef_search) {
    return {.sql = std::string{index_settings_sql}, .params = {std::to_string(ef_search)}};
}

std::string plan_text(const pg::Result& lines) {
    std::string text;
    for (int row = 0; row < lines.rows(); ++row)
        text += short_line(std::string{lines.text(row, 0)}) + "\n";
    return text;
}

}  // namespace decant::search
