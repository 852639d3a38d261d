#include "operate/table_diff.hpp"

#include <fmt/format.h>

#include <chrono>

#include "core/error.hpp"
#include "core/quantity_text.hpp"
#include "core/shell_word.hpp"
#include "core/utf8.hpp"
#include "migrate/run_store.hpp"
#include "migrate/table_scan.hpp"

namespace decant::operate {
namespace {

using migrate::Difference;

migrate::Run origin_of(pg::Connection& db, const migrate::TableName& table) {
    migrate::RunStore runs{db};
    auto run = runs.is_prepared() ? runs.origin(table.schema, table.table) : std::nullopt;
    if (run && migrate::table_exists(db, table)) return std::move(*run);
    throw Error{ErrorCode::not_found,
                fmt::format("There is no table {} of which a run record says that decant made it", table.shown()),
                "See what there is with `decant runs list`."};
}

chroma::SourceAddress address_of(const DiffRequest& request, const migrate::Run& run) {
    chroma::SourceAddress address = request.source.value_or(chroma::SourceAddress{.from = run.source_path});
    // The URL in a run record may be another's by now, and would get the token.
    if (address.is_server() && !request.source) {
        throw Error{
            ErrorCode::request_invalid,
            fmt::format("The source is a server, {}, which --from does not name", run.source_path),
            fmt::format("Name it: decant diff {} --from {}", request.table.arguments(), shell_word(run.source_path))};
    }
    address.tenant = run.tenant;
    address.database = run.database;
    return address;
}

/// Calls `visit` for the first `samples` of a kind.
template <typename Visit>
void for_samples(const DiffReport& report, Difference::Kind kind, std::size_t samples, const Visit& visit) {
    for (const Difference& difference : report.outcome.differences) {
        if (samples == 0) return;
        if (difference.kind != kind) continue;
        visit(difference);
        --samples;
    }
}

json::array ids_json(const DiffReport& report, Difference::Kind kind, std::size_t samples) {
    json::array ids;
    for_samples(report, kind, samples, [&](const Difference& one) { ids.emplace_back(one.id); });
    return ids;
}

std::string samples_text(const DiffReport& report, Difference::Kind kind, std::size_t samples) {
    std::string out;
    for_samples(report, kind, samples, [&](const Difference& one) {
        out += fmt::format("{}{}", out.empty() ? "" : ", ", printable(one.id));
        if (kind == Difference::Kind::changed) out += fmt::format(" ({})", one.what);
    });
    return out;
}

}  // namespace

DiffReport diff_table(const DiffRequest& request, migrate::CopyObserver& observer) {
    pg::Connection db = pg::Connection::open(request.conninfo);
    const migrate::Run run = origin_of(db, request.table);
    const std::unique_ptr<chroma::Source> origin = chroma::open_source(address_of(request, run));
    const chroma::Collection& collection = chroma::find_collection(*origin, {.name = run.collection_id});
    const std::unique_ptr<chroma::RecordReader> reader = origin->read(collection);

    DiffReport report{.table = request.table,
                      .source = origin->name(),
                      .collection = collection.name,
                      .lost = reader->lost().size(),
                      .outcome = {}};
    migrate::VerifyRequest what{.table = request.table, .shape = run.shape, .known_extra = {}};
    for (const chroma::LostRecord& lost : reader->lost())
        what.known_extra.push_back(lost.id);
    observer.begin_phase("diff", reader->record_count());
    const auto start = std::chrono::steady_clock::now();
    migrate::PageStream pages{*reader, run.shape, {}, false};
    migrate::TableScan scan{db, request.table, std::nullopt};
    report.outcome = migrate::verify_against_source(
        scan, pages, what, [&](std::uint64_t rows, std::uint64_t bytes) { return observer.progress(rows, bytes); },
        nullptr);
    report.outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    observer.end_phase();
    return report;
}

json::object diff_json(const DiffReport& report, std::size_t samples) {
    const migrate::DifferenceCounts& counts = report.outcome.counts;
    json::array differing;
    for_samples(report, Difference::Kind::changed, samples, [&](const Difference& one) {
        differing.push_back(json::object{{"id", one.id}, {"columns", one.what}});
    });
    return {{"table", report.table.shown()},
            {"source", report.source},
            {"collection", report.collection},
            {"equal", report.outcome.is_equal()},
            {"rows", report.outcome.rows},
            {"only_in_source",
             json::object{{"count", counts.missing}, {"ids", ids_json(report, Difference::Kind::missing, samples)}}},
            {"only_in_table",
             json::object{{"count", counts.extra}, {"ids", ids_json(report, Difference::Kind::extra, samples)}}},
            {"differing", json::object{{"count", counts.changed},
                                       {"embedding", counts.embedding},
                                       {"document", counts.document},
                                       {"metadata", counts.metadata},
                                       {"records", std::move(differing)}}},
            {"rejected", report.outcome.rejected},
            {"lost", report.lost},
            {"seconds", report.outcome.seconds}};
}

std::string diff_text(const DiffReport& report, std::size_t samples) {
    const migrate::DifferenceCounts& counts = report.outcome.counts;
    const bool is_equal = report.outcome.is_equal();
    std::string out = fmt::format("{} and collection '{}' of {} {}: {} rows read in {:.1f} s\n", report.table.shown(),
                                  printable(report.collection), report.source, is_equal ? "are equal" : "differ",
                                  grouped(report.outcome.rows), report.outcome.seconds);
    const auto line = [&](std::string_view name, std::uint64_t count, Difference::Kind kind) {
        if (count == 0) return;
        const std::string shown = samples_text(report, kind, samples);
        out += fmt::format("  {:<19} {}{}{}{}\n", name, grouped(count), shown.empty() ? "" : ": ", shown,
                           !shown.empty() && count > samples ? ", …" : "");
    };
    line("only in the source", counts.missing, Difference::Kind::missing);
    line("only in the table", counts.extra, Difference::Kind::extra);
    line("differing", counts.changed, Difference::Kind::changed);
    if (counts.changed > 0)
        out += fmt::format("  {:<19} embedding {}, document {}, metadata {}\n", "", grouped(counts.embedding),
                           grouped(counts.document), grouped(counts.metadata));
    if (report.outcome.rejected > 0)
        out += fmt::format("  not compared        {} records that PostgreSQL cannot hold\n",
                           grouped(report.outcome.rejected));
    if (report.lost > 0)
        out +=
            fmt::format("  not compared        {} records that the source cannot give whole\n", grouped(report.lost));
    return out;
}

}  // namespace decant::operate
