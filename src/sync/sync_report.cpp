#include "sync/sync_report.hpp"

#include <array>
#include <utility>

namespace decant::sync {
namespace {

using Count = std::pair<const char*, std::uint64_t SyncCounts::*>;
constexpr std::array<Count, 12> counts_by_name{{{"read", &SyncCounts::read},
                                                {"created", &SyncCounts::created},
                                                {"updated", &SyncCounts::updated},
                                                {"unchanged", &SyncCounts::unchanged},
                                                {"deactivated", &SyncCounts::deactivated},
                                                {"withheld", &SyncCounts::withheld},
                                                {"quarantined", &SyncCounts::quarantined},
                                                {"without_sku", &SyncCounts::without_sku},
                                                {"duplicates", &SyncCounts::duplicates},
                                                {"pages", &SyncCounts::pages},
                                                {"stock_negative", &SyncCounts::stock_negative},
                                                {"stock_rounded", &SyncCounts::stock_rounded}}};

void add_counts(json::object& object, const SyncCounts& counts) {
    for (const auto& [name, member] : counts_by_name)
        object[name] = counts.*member;
}

json::array numbers(const std::vector<std::uint64_t>& values) {
    return json::array(values.begin(), values.end());
}

}  // namespace

json::object SyncCursor::to_json() const {
    json::object saved{{"pass", pass},
                       {"offset", offset},
                       {"total", total},
                       {"last_key", last_key},
                       {"is_consistent", is_consistent},
                       {"duplicates_before", duplicates_before},
                       {"pages_failed", numbers(pages_failed)}};
    add_counts(saved, counts);
    return saved;
}

SyncCursor SyncCursor::from_json(const json::object& saved) {
    const auto number = [&](std::string_view name) { return saved.at(name).to_number<std::uint64_t>(); };
    SyncCursor cursor{.pass = saved.at("pass").to_number<int>(),
                      .offset = number("offset"),
                      .total = number("total"),
                      .last_key = std::string{saved.at("last_key").as_string()},
                      .is_consistent = saved.at("is_consistent").as_bool(),
                      .duplicates_before = number("duplicates_before")};
    for (const json::value& offset : saved.at("pages_failed").as_array())
        cursor.pages_failed.push_back(offset.to_number<std::uint64_t>());
    // One of an older decant has not all of them.
    for (const auto& [name, member] : counts_by_name)
        if (saved.contains(name)) cursor.counts.*member = number(name);
    return cursor;
}

json::object SyncReport::to_json() const {
    json::object out{{"run", run == 0 ? json::value(nullptr) : json::value(run)},
                     {"source", source},
                     {"scope", scope},
                     {"state", state}};
    add_counts(out, end.counts);
    out["pages_failed"] = numbers(end.pages_failed);
    out["passes"] = end.pass;
    out["is_consistent"] = end.is_consistent;
    out["started_at"] = started_at;
    out["duration_seconds"] = seconds;
    out["error"] =
        error_code.empty() ? json::value(nullptr) : json::value(json::object{{"code", error_code}, {"message", error}});
    return out;
}

bool SyncReport::is_clean() const noexcept {
    return state == "complete" && end.counts.quarantined == 0 && end.counts.withheld == 0 && end.pages_failed.empty() &&
           (scope == "partial" || end.is_consistent);
}

}  // namespace decant::sync
