#include "migrate/verify_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "core/error.hpp"
#include "core/shell_word.hpp"
#include "migrate/copy_json.hpp"

namespace decant::migrate {
namespace {

constexpr std::string_view has_vector_index_sql =
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid "
    "JOIN pg_catalog.pg_am am ON am.oid = ic.relam WHERE i.indrelid = pg_catalog.to_regclass($1) AND i.indisvalid "
    "AND am.amname IN ('hnsw', 'ivfflat'))";

struct Source {
    std::unique_ptr<chroma::Source> origin;
    std::unique_ptr<chroma::RecordReader> reader;
    std::string why_not;
};

/// The run's source, if it is there in the state that was copied. A server has no mark to know a state by; it is only
/// compared with when the user names it, because the URL in a run record may be another's and would get the token.
Source find_source(const VerifyTableRequest& request, const Run& run) {
    Source source;
    chroma::SourceAddress address = request.source.value_or(chroma::SourceAddress{.from = run.source_path});
    try {
        if (address.is_server() && !request.source) {
            throw Error{
                ErrorCode::request_invalid,
                fmt::format("the source is a server, {}, which --from does not name", run.source_path),
                fmt::format("Name it: decant verify {} --from {}", shell_word(run.table), shell_word(run.source_path))};
        }
        address.tenant = run.tenant;
        address.database = run.database;
        source.origin = chroma::open_source(address);
        const chroma::Collection& collection = chroma::find_collection(*source.origin, {.name = run.collection_id});
        source.reader = source.origin->read(collection);
        if (request.side == VerifySide::source || address.is_server() ||
            source.reader->fingerprint() == run.fingerprint) {
            return source;
        }
        source.why_not = "the directory has changed since the copy";
    } catch (const Error& error) {
        if (request.side == VerifySide::source || request.source) throw;
        source.why_not = error.happened();
    }
    source.reader.reset();
    return source;
}

Run finished_run(pg::Connection& db, const TableName& table) {
    RunStore runs{db};
    const auto run = runs.is_prepared() ? runs.origin(table.schema, table.table) : std::nullopt;
    if (!run || run->root.empty()) {
        throw Error{
            ErrorCode::not_found,
            run ? fmt::format("The copy into {} (run {}) has not ended", table.shown(), run->id)
                : fmt::format("No run record for table {}: decant did not make it", table.shown()),
            run ? "Run the same `decant copy` again: it goes on." : "See what there is with `decant runs list`."};
    }
    return *run;
}

VerifyOutcome compare(const VerifyTableRequest& request, const Run& run, Source& source, RecallProbe* recall,
                      CopyObserver& observer) {
    pg::Connection rows = pg::Connection::open(request.conninfo);
    pg::Connection records = pg::Connection::open(request.conninfo);
    VerifyRequest what{.table = request.table, .shape = run.shape, .known_extra = RunStore{records}.kept_ids(run.id)};
    for (std::string& id : RunStore{records}.rejected_ids(run.id))
        what.known_extra.push_back(std::move(id));
    if (source.reader) {
        for (const chroma::LostRecord& lost : source.reader->lost())
            what.known_extra.push_back(lost.id);
    }
    std::sort(what.known_extra.begin(), what.known_extra.end());
    TableScan scan{rows, request.table, std::nullopt};
    const VerifyObserver on_rows = [&](std::uint64_t done, std::uint64_t bytes) {
        return observer.progress(done, bytes);
    };
    if (!source.reader) {
        Manifest manifest{records, run.id};
        VerifyOutcome outcome = verify_against_digests(scan, manifest, what, on_rows, recall);
        if (manifest.root() == run.root) return outcome;
        throw Error{ErrorCode::store_rejected,
                    fmt::format("The digests of run {} do not give its own root digest {}: decant.pages was changed",
                                run.id, run.root),
                    "Copy again from the source to record them anew, or verify with --from DIR."};
    }
    PageStream pages{*source.reader, run.shape, {}, false};
    return verify_against_source(scan, pages, what, on_rows, recall);
}

}  // namespace

VerifyTableReport verify_table(const VerifyTableRequest& request, CopyObserver& observer) {
    pg::Connection db = pg::Connection::open(request.conninfo);
    const Run run = finished_run(db, request.table);
    VerifyTableReport report{.table = request.table, .run_id = run.id, .root = run.root};
    Source source;
    if (request.side != VerifySide::digests) source = find_source(request, run);
    report.why_not_source = source.why_not;

    std::optional<RecallProbe> probe;
    if (db.query(has_vector_index_sql, {request.table.quoted(db)}).boolean(0, 0)) {
        probe.emplace(db, request.table, run.shape);
    }
    const auto start = std::chrono::steady_clock::now();
    observer.begin_phase("verify", run.counts.read);
    report.outcome = compare(request, run, source, probe ? &*probe : nullptr, observer);
    report.outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    observer.end_phase();
    if (probe && probe->is_usable()) {
        report.recall = probe->measure(db, store::find_pgvector(db).value());
        report.outcome.seconds -= report.recall->exact_seconds;
    }
    RunStore{db}.save_verification(run.id, verification_json(report.outcome));
    return report;
}

std::vector<TableName> copied_tables(const std::string& conninfo) {
    pg::Connection db = pg::Connection::open(conninfo);
    std::vector<TableName> tables;
    if (!RunStore{db}.is_prepared()) return tables;
    const pg::Result names = db.exec(
        "SELECT DISTINCT table_schema, table_name FROM decant.runs WHERE command = 'copy' AND load_table = table_name "
        "AND root <> '' AND state NOT IN ('abandoned', 'rolled_back') ORDER BY 1, 2");
    for (int row = 0; row < names.rows(); ++row) {
        TableName name{std::string{names.text(row, 0)}, std::string{names.text(row, 1)}};
        if (table_exists(db, name)) tables.push_back(std::move(name));
    }
    return tables;
}

}  // namespace decant::migrate
