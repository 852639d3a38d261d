#include "migrate/detail/copy_job.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>

#include "core/failpoint.hpp"
#include "core/quantity_text.hpp"
#include "migrate/detail/retry.hpp"
#include "migrate/replace.hpp"
#include "migrate/text_fault.hpp"

namespace decant::migrate::detail {
namespace {

constexpr std::string_view replacement_suffix = "__decant_new";

Error other_origin(const TableName& target, const chroma::Collection& collection, bool is_recorded) {
    return {ErrorCode::conflict,
            is_recorded
                ? fmt::format("Table {} exists and was not made from collection '{}' ({}) with this dimension and type",
                              target.shown(), collection.name, collection.id)
                : fmt::format("Table {} exists and no run record in schema decant says that decant made it",
                              target.shown()),
            "Copy into another table with --to NAME, or replace this one with --replace: the present table is kept for "
            "`decant rollback`."};
}

Error with_need(const Error& full, const Counts& done, std::uint64_t records) {
    if (done.read == 0) return full;
    const std::uint64_t left = records - std::min(records, done.read);
    return {full.code(),
            fmt::format("{}; {} of {} records are still to come, at least {} of rows", full.happened(), grouped(left),
                        grouped(records), bytes_text(done.bytes / done.read * left)),
            full.remedy()};
}

}  // namespace

CopyJob::CopyJob(const CopyRequest& request, CopyObserver& observer) : request_(request), observer_(observer) {}

CopyReport CopyJob::run() {
    open_source();
    if (!source_->collection().dimension) {
        report_.is_empty = true;
        return std::move(report_);
    }
    start_reading();
    open_target();
    choose_run();
    if (run_.phase == "load") load();
    pages_.reset();
    // Another index may be asked for than that of the attempt which ended there.
    if (run_.phase == "index" || run_.phase == "verify" || run_.phase == "swapped") build_indexes();
    // An earlier attempt swapped: the run's report, in which a rollback looks for it, is this one's.
    if (run_.phase == "swapped") report_.phases.push_back({"swap", 0});
    if (run_.phase == "verify" || run_.phase == "swapped") verify();
    if (run_.phase == "swap") swap();
    finish();
    return std::move(report_);
}

void CopyJob::open_source() {
    origin_ = chroma::open_source(request_.source);
    const chroma::Collection& collection = chroma::find_collection(*origin_, request_.collection);
    source_ = origin_->read(collection);
    report_.collection = collection;
    report_.snapshot = origin_->snapshot();
    report_.lost = source_->lost().size();
    for (const chroma::LostRecord& lost : source_->lost())
        report_.lost_ids.push_back(lost.id);
    if (report_.snapshot) {
        observer_.note(fmt::format("Reading a consistent copy at seq_id {}: {}", report_.snapshot->seq_id,
                                   report_.snapshot->reason));
    }
    if (!source_->lost().empty() && !request_.allow_partial) {
        throw lost_records_error(request_.source.from, *source_);
    }
    const bool has_records = source_->record_count() + source_->lost().size() > 0;
    if (!collection.space && (collection.dimension || has_records)) {
        throw Error{ErrorCode::source_unreadable,
                    fmt::format("Nothing is left in the directory that tells the distance space of collection {}",
                                collection.id),
                    "Its records can be seen with `decant inspect`; they are not copied with a guessed space."};
    }
    if (!collection.dimension && has_records) {
        throw Error{ErrorCode::source_unreadable,
                    fmt::format("Nothing in the directory tells the dimension of collection {}, which has records",
                                collection.id),
                    "Look at them with `decant inspect`."};
    }
    target_ = request_.target;
    if (target_.table.empty() && collection.name.empty()) {
        throw Error{ErrorCode::request_invalid,
                    fmt::format("Collection {} has no name: its row in the directory is missing", collection.id),
                    "Name the table with --to NAME."};
    }
    if (target_.table.empty()) target_.table = collection.name;
    if (target_.table.empty() || target_.table.size() > max_identifier_bytes || find_text_fault(target_.table)) {
        throw Error{ErrorCode::request_invalid,
                    fmt::format("'{}' is no name for a table: it must have 1 to {} bytes of UTF-8 without U+0000",
                                target_.table, max_identifier_bytes),
                    "Name the table with --to NAME."};
    }
}

void CopyJob::start_reading() {
    const chroma::Collection& collection = source_->collection();
    report_.shape = {
        .dimension = *collection.dimension, .space = *collection.space, .type = request_.type, .nul = request_.nul};
    source_->rewind();
    pages_ = std::make_unique<PageStream>(*source_, report_.shape, request_.page, true);
}

void CopyJob::open_target() {
    report_.table = target_;
    report_.index = request_.index;
    db_ = std::make_unique<pg::Connection>(pg::Connection::open(request_.conninfo));
    Preflight preflight = check_target(*db_, {.table = target_, .shape = report_.shape, .index = request_.index});
    table_exists_ = preflight.table_exists;
    throw_problems(preflight.problems);
    lock_ = std::make_unique<TargetLock>(request_.conninfo, target_);
    pgvector_ = ensure_pgvector(*db_, preflight);
    RunStore{*db_}.prepare();
}

pg::Connection& CopyJob::scanner() {
    if (!scanner_) scanner_ = std::make_unique<pg::Connection>(pg::Connection::open(request_.conninfo));
    return *scanner_;
}

std::optional<Run> CopyJob::resumable_run(const std::optional<Run>& origin) {
    const auto found = RunStore{*db_}.unfinished(target_.schema, target_.table, is_beside_);
    if (!found) return std::nullopt;
    const bool is_newest = !origin || found->id >= origin->id;
    // What its pages kept, no later page looks at again.
    const bool left_what_is_pruned = request_.prune && found->counts.kept > 0;
    const bool is_same = is_newest && !left_what_is_pruned && found->collection_id == source_->collection().id &&
                         found->fingerprint == source_->fingerprint() && found->shape.type == report_.shape.type &&
                         found->shape.dimension == report_.shape.dimension && found->shape.nul == report_.shape.nul &&
                         found->command == "copy" &&
                         has_row_shape(*db_, {target_.schema, found->load_table}, report_.shape);
    if (is_same) return found;
    abandoned_ = found->id;
    return std::nullopt;
}

/// The same --replace again, of a source that has not changed: a second swap would put the copy in the place of the
/// table that rollback is to return to.
bool CopyJob::is_replaced_already(const Run& origin) const {
    return origin.state == "done" && is_kept(origin.previous_table) && origin.fingerprint == source_->fingerprint();
}

bool CopyJob::is_kept(const std::string& previous_table) const {
    return !previous_table.empty() && table_exists(*db_, {target_.schema, previous_table});
}

void CopyJob::choose_run() {
    RunStore runs{*db_};
    const auto origin = table_exists_ ? runs.origin(target_.schema, target_.table) : std::nullopt;
    const bool is_ours =
        origin && origin->collection_id == source_->collection().id && has_row_shape(*db_, target_, report_.shape);
    is_beside_ = request_.replace && table_exists_ && !(is_ours && is_replaced_already(*origin));
    if (is_beside_) check_replaceable(*db_, target_);
    if (table_exists_ && !is_beside_) {
        if (!is_ours) throw other_origin(target_, source_->collection(), origin.has_value());
        if (is_kept(origin->previous_table)) previous_table_ = origin->previous_table;
    }
    if (auto earlier = resumable_run(origin)) {
        run_ = std::move(*earlier);
        report_.is_resumed = true;
    } else {
        begin_run();
    }
    runs.take_over(run_.id, lock_->token());
    report_.run_id = run_.id;
    report_.counts = run_.counts;
    failpoint("copy.run_begun");
}

void CopyJob::begin_run() {
    const chroma::Collection& collection = source_->collection();
    run_ = Run{.command = "copy",
               .phase = "load",
               .schema = target_.schema,
               .table = target_.table,
               .load_table = is_beside_ ? derived_name(target_.table, std::string{replacement_suffix}) : target_.table,
               .previous_table = is_beside_ ? "" : previous_table_,
               .source_path = origin_->location(),
               .tenant = collection.tenant,
               .database = collection.database,
               .collection = collection.name,
               .collection_id = collection.id,
               .fingerprint = source_->fingerprint(),
               .shape = report_.shape};
    // In one with the new run: without either the table would be nobody's.
    pg::Transaction tx{*db_};
    if (abandoned_) RunStore{*db_}.abandon(*abandoned_);
    if (is_beside_) drop_left_table(*db_, target_, run_.load_table);
    if (is_beside_ || !table_exists_) {
        db_->exec(create_table_sql(*db_, *pgvector_, load_table(), report_.shape));
    }
    run_.id = RunStore{*db_}.create(run_);
    tx.commit();
}

void CopyJob::load() {
    const bool is_new_table = !table_exists_ || run_.load_table != target_.table;
    LoadPlan plan{.run_id = run_.id,
                  .token = lock_->token(),
                  .table = load_table(),
                  .prune = request_.prune,
                  // A resumed load of a new table has nothing after its checkpoint, which the scan finds at once.
                  .is_empty = is_new_table && !report_.is_resumed,
                  .after_id = run_.last_id};
    if (!report_.is_resumed) plan.root = &root_.emplace();
    plan.absent_ids.insert(report_.lost_ids.begin(), report_.lost_ids.end());
    if (run_.last_id) {
        pages_.reset();
        source_->seek_after(*run_.last_id);
        pages_ = std::make_unique<PageStream>(*source_, report_.shape, request_.page, true);
    }
    timed("load", source_->record_count(), [&] {
        try {
            load_pages({*db_, plan.is_empty ? nullptr : &scanner()}, plan, *pages_, [&](const Counts& delta) {
                ++pages_done_;
                report_.counts += delta;
                return observer_.progress(report_.counts.read, report_.counts.bytes);
            });
        } catch (const Error& error) {
            if (error.code() != ErrorCode::store_full) throw;
            throw with_need(error, report_.counts, source_->record_count());
        }
    });
    RunStore{*db_}.set_phase(run_.id, run_.phase = "index");
    failpoint("copy.loaded");
}

void CopyJob::verify() {
    std::optional<RecallProbe> probe;
    if (request_.verify) {
        VerifyRequest request{
            .table = load_table(), .shape = report_.shape, .known_extra = RunStore{*db_}.kept_ids(run_.id)};
        for (const chroma::LostRecord& lost : source_->lost())
            request.known_extra.push_back(lost.id);
        std::sort(request.known_extra.begin(), request.known_extra.end());
        if (report_.index != store::IndexKind::none) probe.emplace(*db_, load_table(), report_.shape);
        source_->rewind();
        timed("verify", source_->record_count(), [&] {
            PageStream pages{*source_, report_.shape, request_.page, false};
            TableScan scan{scanner(), load_table(), std::nullopt};
            report_.verification = verify_against_source(
                scan, pages, request,
                [&](std::uint64_t rows, std::uint64_t bytes) { return observer_.progress(rows, bytes); },
                probe ? &*probe : nullptr);
        });
        report_.verification->seconds = report_.phases.back().seconds;
        failpoint("copy.verified");
    }
    if (probe && probe->is_usable()) measure_recall(*probe);
    const bool may_swap = !report_.verification || report_.verification->is_equal();
    const bool is_beside = run_.load_table != target_.table;
    run_.phase = is_beside && may_swap ? "swap" : "done";
    if (is_beside && !may_swap) report_.load_table = run_.load_table;
}

void CopyJob::measure_recall(RecallProbe& probe) {
    timed("recall", recall_queries, [&] { report_.recall = probe.measure(*db_, *pgvector_); });
    // The exact side ran while vectors were read back: it is the probe's cost, not the verification's.
    report_.phases.back().seconds += report_.recall->exact_seconds;
    if (report_.verification) report_.verification->seconds -= report_.recall->exact_seconds;
    for (PhaseTime& phase : report_.phases) {
        if (phase.name == "verify") phase.seconds -= report_.recall->exact_seconds;
    }
    if (report_.recall->recall < recall_floor) {
        report_.warnings.push_back(fmt::format(
            "recall@{} of the index is {:.3f}, under {:.2f}: raise {} for searches", recall_k, report_.recall->recall,
            recall_floor, report_.index == store::IndexKind::hnsw ? "hnsw.ef_search" : "ivfflat.probes"));
    }
}

void CopyJob::swap() {
    timed("swap", 1, [&] {
        run_.previous_table = swap_tables(*db_, {.target = target_,
                                                 .load_table = run_.load_table,
                                                 .run_id = run_.id,
                                                 .token = lock_->token(),
                                                 .drop_old = request_.drop_old});
    });
    run_.load_table = target_.table;
    failpoint("copy.swapped");
}

void CopyJob::timed(const std::string& phase, std::uint64_t total, const std::function<void()>& work) {
    observer_.begin_phase(phase, total);
    const auto start = std::chrono::steady_clock::now();
    work();
    report_.phases.push_back({phase, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count()});
    observer_.end_phase();
}

}  // namespace decant::migrate::detail
