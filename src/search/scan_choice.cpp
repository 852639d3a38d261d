#include "search/scan_choice.hpp"

#include <algorithm>
#include <cmath>

namespace decant::search {
namespace {

// To the planner a sequential scan looks cheap, because it does not count vectors that are stored apart. One plan
// serves all vectors and limits, and is made once a connection. It is made for an unknown limit, so joins that are good
// for many rows are kept out.
constexpr std::string_view index_settings_sql =
    "SELECT set_config('hnsw.iterative_scan', $1, true), set_config('hnsw.ef_search', $2, true), "
    "set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true), "
    "set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true), "
    "set_config('plan_cache_mode', 'force_generic_plan', true), set_config('jit', 'off', true)";

constexpr std::string_view ivfflat_settings_sql =
    "SELECT set_config('ivfflat.iterative_scan', 'relaxed_order', true), set_config('ivfflat.probes', $1, true), "
    "set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true), "
    "set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true), "
    "set_config('plan_cache_mode', 'force_generic_plan', true), set_config('jit', 'off', true)";

// Which index serves a filter depends on its values.
constexpr std::string_view exact_settings_sql =
    "SELECT set_config('plan_cache_mode', 'force_custom_plan', true), set_config('jit', 'off', true)";

// Microseconds of one processor, vectors stored apart (TOAST): a row that the index visits in one look, and one that it
// visits going on, both with the neighbours it compares; one row compared alone; a unit of the planner's.
constexpr double visit_cost = 5;
constexpr double going_on_cost = 10;
constexpr double compare_cost = 3;
constexpr double planner_cost = 2;
// Comparing all is worth more time, because it misses none: so much of what the index takes, and as long as the index
// takes to give up, which it does after hnsw.max_scan_tuples rows.
constexpr double exactness_worth = 1.5;
constexpr double until_it_gives_up = 100'000;

// The nearest of those that pass lie further out than the nearest of all, where the graph finds a smaller share of
// them.
constexpr double most_widening = 1.5;

constexpr std::uint64_t least_more_rows = 20;
constexpr std::uint64_t most_ef_search = 1'000;

std::string short_line(std::string line) {
    const std::size_t begin = line.find("'[");
    const std::size_t end = line.find("]'", begin == std::string::npos ? line.size() : begin);
    return end == std::string::npos ? line : line.replace(begin, end + 2 - begin, "'[...]'");
}

double share_of(const Passing& filter) noexcept {
    const auto rows = static_cast<double>(std::max<std::uint64_t>(filter.rows, 1));
    return std::clamp(static_cast<double>(filter.passing), 1.0, rows) / rows;
}

double exact_cost(const Passing& filter) noexcept {
    return filter.reading_cost * planner_cost + static_cast<double>(filter.passing) * compare_cost;
}

}  // namespace

std::vector<ScanStep> scan_steps(std::uint64_t wanted, double recall, const std::optional<Passing>& filter) {
    const ScanStep exact{.scan = Scan::exact};
    const ScanStep further{.ef_search = most_ef_search, .goes_on = true, .more = wanted + least_more_rows};
    const double share = filter ? share_of(*filter) : 1;
    // Twice as many as pass on average: less than one question in a hundred finds too few by chance.
    const double nearest = std::ceil((filter ? 2 : 1) * static_cast<double>(wanted) / share);
    const double widened = std::min(1 / std::sqrt(share), most_widening);
    const double ef_search = std::max(nearest, widened * static_cast<double>(ef_search_for(wanted, recall)));
    const bool is_one_look_enough = nearest <= static_cast<double>(most_ef_search);
    if (filter) {
        const double visited =
            std::min(static_cast<double>(wanted + further.more) / share, static_cast<double>(filter->rows));
        const double index_cost = is_one_look_enough ? ef_search * visit_cost : visited * going_on_cost;
        if (exact_cost(*filter) < std::min(index_cost, until_it_gives_up) * exactness_worth) return {exact};
    }
    if (!is_one_look_enough) return {further, exact};
    const ScanStep first{.ef_search = static_cast<std::uint64_t>(ef_search)};
    // Too few of the nearest pass: those that do lie elsewhere, where the index finds them late and not the nearest
    // first.
    if (filter && exact_cost(*filter) <= until_it_gives_up) return {first, exact};
    return {first, further, exact};
}

std::uint64_t ef_search_for(std::uint64_t wanted, double recall) noexcept {
    const double missed = 1 - std::clamp(recall, 0.5, 0.999);
    // Some miss the right part of the graph, whatever is wanted; others find only the nearest of it.
    const double to_get_there = 65 * std::pow(0.05 / missed, 0.75);
    const double to_find_all = 4 * static_cast<double>(wanted) * std::sqrt(0.02 / missed);
    const double least = std::max({to_get_there, to_find_all, static_cast<double>(wanted), 40.0});
    return static_cast<std::uint64_t>(std::min(least, static_cast<double>(most_ef_search)));
}

std::uint64_t ivfflat_probes_for(std::uint64_t lists, double recall) noexcept {
    const double missed = 1 - std::clamp(recall, 0.5, 0.999);
    const double probes = 2 * std::sqrt(static_cast<double>(lists)) * std::pow(0.02 / missed, 0.25);
    return std::clamp<std::uint64_t>(static_cast<std::uint64_t>(std::ceil(probes)), 1,
                                     std::max<std::uint64_t>(lists, 1));
}

pg::Statement scan_settings(const ScanStep& step, std::uint64_t ivfflat_probes) {
    if (step.scan == Scan::exact) return {.sql = std::string{exact_settings_sql}};
    if (ivfflat_probes > 0)
        return {.sql = std::string{ivfflat_settings_sql}, .params = {std::to_string(ivfflat_probes)}};
    return {.sql = std::string{index_settings_sql},
            .params = {step.goes_on ? "relaxed_order" : "off", std::to_string(step.ef_search)}};
}

std::string plan_text(const pg::Result& lines) {
    std::string text;
    for (int row = 0; row < lines.rows(); ++row)
        text += short_line(std::string{lines.text(row, 0)}) + "\n";
    return text;
}

}  // namespace decant::search
