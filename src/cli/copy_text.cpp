#include "cli/copy_text.hpp"

#include <fmt/format.h>

#include <iterator>

#include "core/quantity_text.hpp"
#include "core/table.hpp"
#include "core/utf8.hpp"
#include "migrate/copy_json.hpp"

namespace decant::cli {
namespace {

using migrate::CopyReport;

std::string closing_table(const CopyReport& report) {
    constexpr auto right = Table::Align::right;
    Table table{{{"phase"},
                 {"read", right},
                 {"copied", right},
                 {"unchanged", right},
                 {"rejected", right},
                 {"bytes", right},
                 {"seconds", right}}};
    double total = 0;
    for (const migrate::PhaseTime& phase : report.phases) {
        total += phase.seconds;
        const std::string seconds = fmt::format("{:.3f}", phase.seconds);
        const migrate::Counts& counts = report.counts;
        if (phase.name == "load") {
            table.add_row({phase.name, std::to_string(counts.read), std::to_string(counts.copied + counts.updated),
                           std::to_string(counts.unchanged), std::to_string(counts.rejected), bytes_text(counts.bytes),
                           seconds});
        } else if (phase.name == "verify" && report.verification) {
            table.add_row({phase.name, std::to_string(report.verification->rows), "", "", "",
                           bytes_text(report.verification->bytes), seconds});
        } else {
            table.add_row({phase.name, "", "", "", "", "", seconds});
        }
    }
    table.add_row({"total", "", "", "", "", "", fmt::format("{:.3f}", total)});
    return table.text();
}

void append_differences(std::string& out, const migrate::VerifyOutcome& outcome) {
    for (const migrate::Difference& difference : outcome.differences) {
        fmt::format_to(std::back_inserter(out), "  {}  {}  ({})\n", name_of(difference.kind), printable(difference.id),
                       difference.what);
    }
    if (outcome.difference_count > outcome.differences.size()) {
        fmt::format_to(std::back_inserter(out), "  and {} more\n",
                       outcome.difference_count - outcome.differences.size());
    }
}

std::string verification_text(const migrate::VerifyOutcome& outcome) {
    if (outcome.is_equal()) {
        const std::string others =
            outcome.known_extra == 0
                ? ""
                : fmt::format("; {} other rows of the table are not from the source", outcome.known_extra);
        return fmt::format("Verified against the {}: all {} rows equal, bit for bit{}\n", outcome.against,
                           outcome.rows - outcome.known_extra, others);
    }
    std::string out = fmt::format("Verified against the {}: {} differences in {} rows\n", outcome.against,
                                  outcome.difference_count, outcome.rows);
    append_differences(out, outcome);
    return out;
}

std::string recall_text(const migrate::RecallOutcome& recall) {
    return fmt::format("recall@{} of the index: {:.3f} ({} stored vectors as queries)\n", migrate::recall_k,
                       recall.recall, recall.queries);
}

std::string notes_text(const CopyReport& report, const CopyTextOptions& options) {
    std::string out;
    const migrate::Counts& counts = report.counts;
    const auto add = [&](std::uint64_t count, const std::string& text) {
        if (count > 0) fmt::format_to(std::back_inserter(out), "{} {}\n", count, text);
    };
    add(counts.updated, "of the copied rows replaced an older version");
    add(counts.kept, "rows of the table are not in the source and were left (--prune removes them)");
    add(counts.pruned, "rows that the source does not have were removed");
    add(report.lost, "records of the source cannot be had whole and were left out, see " + options.rejects_path);
    add(counts.rejected, "records rejected, see " + options.rejects_path);
    for (const std::string& warning : report.warnings)
        out += "warning: " + printable(warning) + "\n";
    return out;
}

}  // namespace

std::string copy_text(const CopyReport& report, const CopyTextOptions& options) {
    const chroma::Collection& collection = report.collection;
    if (report.is_empty) {
        return fmt::format("Collection {} is empty and never had a vector: there is nothing to copy\n",
                           printable(collection.name));
    }
    std::string out = fmt::format("Collection {} of tenant {}, database {} -> table {}: {}({}), space {}\n\n",
                                  printable(collection.name), printable(collection.tenant),
                                  printable(collection.database), printable(report.table.shown()),
                                  pg::name_of(report.shape.type), report.shape.dimension, name_of(report.shape.space));
    out += closing_table(report) + "\n";
    if (report.verification)
        out += verification_text(*report.verification);
    else
        out += fmt::format("Not verified (--no-verify): `decant verify {}` does it at any time\n",
                           printable(report.table.arguments()));
    if (report.recall) out += recall_text(*report.recall);
    out += fmt::format("Run {}, digest {}\n", report.run_id, report.root);
    out += notes_text(report, options);
    if (!report.load_table.empty()) {
        out += fmt::format("Table {} was not replaced: the differing rows are in {}\n", printable(report.table.shown()),
                           printable(report.load_table));
    }
    if (!report.previous_table.empty()) {
        out += fmt::format("The previous table is kept as {}: `decant rollback {}` puts it back\n",
                           printable(report.previous_table), printable(report.table.arguments()));
    }
    if (report.example_id.empty()) return out;
    return out + "\nSearch it in SQL:\n" + migrate::example_sql(report) + "\n\nand from Python:\n" +
           migrate::example_python(report, options.dsn) + "\n";
}

std::string layout_text(const migrate::LayoutReport& report, const CopyTextOptions& options) {
    if (!report.is_transferred) return copy_text(report.copy, options);
    const chroma::Collection& collection = report.copy.collection;
    std::string out = fmt::format(
        "Collection {} of tenant {}, database {} -> table {} for langchain-postgres: vector({}), "
        "space {}\n\n",
        printable(collection.name), printable(collection.tenant), printable(collection.database),
        printable(report.table.shown()), report.copy.shape.dimension, name_of(report.copy.shape.space));
    out += closing_table(report.copy) + "\n";
    if (report.copy.verification) out += verification_text(*report.copy.verification);
    if (report.is_equal()) {
        out += fmt::format("Moved into {}: {} rows written, {} unchanged; all equal to the copy that was verified\n",
                           printable(report.table.shown()), report.written, report.unchanged);
    } else {
        out += fmt::format("Moved into {}: {} rows differ from the copy that was verified\n",
                           printable(report.table.shown()), report.difference_count);
        for (const std::string& id : report.differing_ids)
            out += "  " + printable(id) + "\n";
    }
    if (report.pruned > 0) out += fmt::format("{} rows that the source does not have were removed\n", report.pruned);
    return out + notes_text(report.copy, options) + "\nOpen it in Python:\n" + migrate::layout_python(report) + "\n";
}

std::string into_text(const migrate::IntoReport& report, const std::string& rejects_path) {
    const migrate::Counts& counts = report.counts;
    std::string out =
        fmt::format("Collection {} -> {}.{}{}: {}({})\n\n", printable(report.collection.name),
                    printable(report.table.shown()), printable(report.column), report.column_added ? " (added)" : "",
                    pg::name_of(report.shape.type), report.shape.dimension);
    const auto line = [&](std::string_view label, std::uint64_t count) {
        fmt::format_to(std::back_inserter(out), "{:<44}{:>10}\n", label, count);
    };
    line("Records read", counts.read);
    line("Rows filled", counts.updated);
    line("Rows that had the vector already", counts.unchanged);
    line("Records without a row of their key", report.unmatched_records);
    line("Rows without a record of their key", report.unmatched_rows);
    line("Records rejected", counts.rejected);
    line("Records lost", report.lost);
    out += "\n";
    const auto list = [&](std::string_view title, const std::vector<std::string>& names) {
        for (const std::string& name : names)
            fmt::format_to(std::back_inserter(out), "  {}: {}\n", title, printable(name));
    };
    list("record without a row", report.unmatched_ids);
    list("row without a record", report.unmatched_keys);
    if (report.verification) out += verification_text(*report.verification);
    if (counts.rejected > 0) out += "Rejected records are in " + rejects_path + "\n";
    return out + "Index it with:\n" + printable(report.index_sql) + ";\n";
}

std::string verify_text(const migrate::VerifyTableReport& report) {
    std::string out =
        fmt::format("Table {} (run {}, digest {})\n", printable(report.table.shown()), report.run_id, report.root);
    if (!report.why_not_source.empty()) out += "Not against the source: " + printable(report.why_not_source) + "\n";
    out += verification_text(report.outcome);
    if (report.recall) out += recall_text(*report.recall);
    return out;
}

}  // namespace decant::cli
