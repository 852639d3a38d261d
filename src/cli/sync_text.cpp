#include "cli/sync_text.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/json.hpp"
#include "core/table.hpp"

namespace decant::cli {
namespace {

void print_counts(const sync::SyncReport& report) {
    using Align = Table::Align;
    const sync::SyncCounts& counts = report.end.counts;
    Table table{{{"read", Align::right},
                 {"created", Align::right},
                 {"updated", Align::right},
                 {"unchanged", Align::right},
                 {"deactivated", Align::right},
                 {"quarantined", Align::right},
                 {"pages failed", Align::right}}};
    std::vector<std::string> cells;
    for (const std::uint64_t count : {counts.read, counts.created, counts.updated, counts.unchanged, counts.deactivated,
                                      counts.quarantined, std::uint64_t{report.end.pages_failed.size()}})
        cells.push_back(std::to_string(count));
    table.add_row(cells);
    fmt::print("{}", table.text());
}

void print_remarks(const sync::SyncReport& report) {
    const sync::SyncCounts& counts = report.end.counts;
    if (counts.stock_negative > 0) fmt::print("Negative stock taken for 0: {}\n", counts.stock_negative);
    if (counts.stock_rounded > 0) fmt::print("Stock rounded down to whole units: {}\n", counts.stock_rounded);
    if (counts.duplicates > 0) fmt::print("Came more than once, the later one taken: {}\n", counts.duplicates);
    if (counts.withheld > 0 && counts.without_sku > 0) {
        fmt::print("Not deactivated, because they may be the {} items whose sku could not be read: {}\n",
                   counts.without_sku, counts.withheld);
    } else if (counts.withheld > 0) {
        fmt::print("Not deactivated, because they are more than DUX_MAX_VANISHED_PERCENT: {}\n", counts.withheld);
    }
    for (const std::uint64_t offset : report.end.pages_failed)
        fmt::print("The page at offset {} could not be had\n", offset);
    if (report.scope == "full" && !report.end.is_consistent && report.end.pages_failed.empty() && report.error.empty())
        fmt::print("The catalog changed while it was read, {} times: nothing was deactivated\n", report.end.pass);
    if (counts.quarantined > 0) fmt::print("Why items are in quarantine: decant sync quarantine\n");
}

void print_report(const sync::SyncReport& report) {
    print_counts(report);
    print_remarks(report);
    const std::string_view what = report.run == 0 ? "Dry run" : "Run";
    const std::string number = report.run == 0 ? "" : fmt::format(" {}", report.run);
    fmt::print("{}{}: {}, {} pass{}, {} page{}, {:.1f} s\n", what, number, report.state, report.end.pass,
               report.end.pass == 1 ? "" : "es", report.end.counts.pages, report.end.counts.pages == 1 ? "" : "s",
               report.seconds);
}

}  // namespace

void print_sync(const sync::SyncReport& report, bool as_json) {
    if (as_json)
        fmt::print("{}\n", json_text(report.to_json()));
    else
        print_report(report);
    if (!report.error.empty()) fmt::print(stderr, "decant: {}: {}\n", report.error_code, report.error);
}

int exit_code_of(const sync::SyncReport& report) {
    if (const auto signal = interrupted()) return 128 + *signal;
    if (report.error_code == "source_unavailable") return traits_of(ErrorCode::source_unavailable).exit_code;
    if (report.error_code == "unauthenticated") return traits_of(ErrorCode::unauthenticated).exit_code;
    if (report.error_code == "forbidden") return traits_of(ErrorCode::forbidden).exit_code;
    if (!report.error_code.empty()) return traits_of(ErrorCode::source_unreadable).exit_code;
    return report.is_clean() ? 0 : 1;
}

}  // namespace decant::cli
