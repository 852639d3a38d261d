#include "migrate/detail/catalog_job.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/failpoint.hpp"
#include "core/quantity_text.hpp"
#include "migrate/detail/retry.hpp"
#include "store/index_builder.hpp"

namespace decant::migrate::detail {
namespace {

constexpr std::uint64_t most_batches_told = 100;
// Measured on two cores with the catalog's own indexes: rows updated, and vectors of 384 dimensions indexed a second.
constexpr double rows_a_second = 8'000;
constexpr double indexed_a_second = 6'000;
constexpr double embedded_a_second = 40;
/// A product's row and its entries in the catalog's indexes, without the vector.
constexpr std::uint64_t row_bytes = 2'000;
/// A row's neighbours in the HNSW index, at m = 16.
constexpr std::uint64_t graph_row_bytes = 640;

}  // namespace

CatalogJob::CatalogJob(const MigrationRequest& request, MigrationObserver& observer)
    : request_(request), observer_(observer) {}

MigrationReport CatalogJob::run() {
    check();
    analyze();
    plan();
    if (!request_.dry_run) {
        migrate();
        verify();
        finish();
    }
    report_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
    return std::move(report_);
}

void CatalogJob::mark(const std::string& state) noexcept {
    if (db_ && report_.run_id != 0) mark_run(*db_, report_.run_id, state);
}

void CatalogJob::begin_run() {
    RunStore runs{*db_};
    runs.prepare();
    // What says how the run was asked for, so that only the same one goes on with it.
    const std::string kind =
        fmt::format("{} reuse {}", request_.force ? "all" : "missing", static_cast<int>(request_.reuse));
    if (const auto left = runs.unfinished(table_.schema, table_.table, false)) {
        if (left->command == "migrate" && left->collection_id == report_.collection.id && left->fingerprint == kind)
            report_.run_id = left->id;
        else if (left->command == "migrate")
            runs.abandon(left->id);
    }
    if (report_.run_id == 0) {
        report_.run_id = runs.create(Run{.command = "migrate",
                                         .schema = table_.schema,
                                         .table = table_.table,
                                         .load_table = table_.table,
                                         .source_path = origin_->location(),
                                         .tenant = report_.collection.tenant,
                                         .database = report_.collection.database,
                                         .collection = report_.collection.name,
                                         .collection_id = report_.collection.id,
                                         .fingerprint = kind,
                                         .shape = shape_});
    }
    runs.take_over(report_.run_id, lock_->token());
    failpoint("migrate.run_begun");
}

void CatalogJob::analyze() {
    if (!request_.dry_run) begin_run();
    timed("analysis", source_->record_count(), [&] {
        const auto run = request_.dry_run ? std::nullopt : std::optional{report_.run_id};
        index_.load(*db_, run);
        if (request_.create_products) {
            create_products();
            if (report_.created > 0 && !request_.dry_run) index_.load(*db_, run);
        }
        plan_ = read_source(*source_, index_, request_, shape_);
        decide();
    });
    is_written_.resize(index_.products().size());
    is_embedded_.resize(index_.products().size());
    for (std::size_t i = 0; i < index_.products().size(); ++i) {
        const ProductRow& product = index_.products()[i];
        if (!product.is_active) continue;
        ++report_.total;
        if (product.has_embedding) ++report_.before;
        if (plan_.choices[i].state != Choice::State::no_record) ++report_.in_chroma;
        if (plan_.choices[i].is_embedded) ++report_.to_embed;
        // Of the killed or stopped run that this one goes on with.
        is_written_[i] = product.is_written && plan_.choices[i].state == Choice::State::usable;
    }
    report_.unmatched_records = plan_.unmatched_records;
    report_.planned = plan_.planned + report_.to_embed;
    const bool would_create = request_.dry_run && report_.created > 0;
    if (would_create) {
        report_.planned += report_.created;
        report_.unmatched_records -= report_.created;
    }
    say("");
    say("[Step 2/6] Analyzing current state...");
    say(fmt::format("  Total products in database: {}", report_.total));
    say(fmt::format("  Products with ChromaDB embeddings: {}", report_.in_chroma));
    say(fmt::format("  Products with pgvector embeddings: {}", report_.before));
    say(fmt::format("  Products missing pgvector embeddings: {}", report_.total - report_.before));
}

void CatalogJob::note_product(std::uint32_t product, const std::string& reason) {
    if (report_.notes.size() >= max_listed_products) return;
    const ProductRow& row = index_.products()[product];
    report_.notes.push_back({text_of(row.id), row.name, reason});
}

void CatalogJob::note_waiting() {
    for (std::uint32_t i = 0; i < index_.products().size(); ++i) {
        const ProductRow& product = index_.products()[i];
        const Choice& choice = plan_.choices[i];
        if (!product.is_active || (choice.is_planned && !choice.is_embedded)) continue;
        if (choice.is_embedded) {
            if (choice.state == Choice::State::stale) ++report_.stale;
            continue;
        }
        if (product.has_embedding) {
            ++report_.already;
            continue;
        }
        ++report_.waiting;
        if (choice.state == Choice::State::stale) ++report_.stale;
        const auto fault = plan_.faults.find(i);
        if (fault != plan_.faults.end())
            note_product(i, fault->second);
        else if (choice.state == Choice::State::stale)
            note_product(i, request_.reuse == Reuse::never ? "Chroma's vectors are not taken (--reuse never)"
                                                           : "Chroma's vector was made of another text");
    }
}

void CatalogJob::plan() {
    note_waiting();
    report_.skipped = report_.already + report_.waiting;
    say("");
    say("[Step 3/6] Building migration plan...");
    if (request_.dry_run) {
        say(fmt::format("  Would migrate {} products (DRY RUN)", report_.planned));
        say_waiting("    ");
        say_estimate();
    } else {
        say(fmt::format("  Will migrate {} products", report_.planned));
        say_waiting("  ");
    }
}

void CatalogJob::say_waiting(const std::string& indent) {
    if (report_.created > 0) {
        say(fmt::format("{}Products {} from ChromaDB: {}", indent, request_.dry_run ? "to be created" : "created",
                        report_.created));
    }
    if (report_.waiting > 0) say(fmt::format("{}Waiting for an embedder: {}", indent, report_.waiting));
    if (report_.to_embed > 0) {
        say(fmt::format("{}With ChromaDB's vectors: {}", indent, plan_.planned));
        say(fmt::format("{}To be embedded with {}: {}", indent, model(), report_.to_embed));
    }
    if (report_.likeness && report_.not_reused.empty()) {
        say(fmt::format("{}ChromaDB's vectors are of the same model: median cosine {:.3f} of {} documents", indent,
                        *report_.likeness, report_.probed));
    }
    if (!report_.not_reused.empty())
        say(fmt::format("{}ChromaDB's vectors are not taken: {}", indent, report_.not_reused));
    if (report_.stale > 0 && report_.not_reused.empty() && request_.reuse == Reuse::automatic) {
        say(fmt::format("{}  of these, Chroma's vector is of another text: {}", indent, report_.stale));
    }
    if (report_.unmatched_records > 0) {
        say(fmt::format("{}ChromaDB records without a product: {}", indent, report_.unmatched_records));
    }
}

void CatalogJob::say_estimate() {
    const auto rows = static_cast<double>(report_.planned);
    const double seconds = rows / rows_a_second + rows * shape_.dimension / 384 / indexed_a_second +
                           static_cast<double>(report_.to_embed) / embedded_a_second;
    const std::uint64_t vectors = report_.planned * (4UL * shape_.dimension + 8);
    const std::uint64_t graph = report_.planned * (4UL * shape_.dimension + graph_row_bytes);
    say(fmt::format("    Vectors: {}", bytes_text(vectors)));
    say(fmt::format("    Time: about {}", clock_text(std::chrono::seconds{static_cast<std::int64_t>(seconds) + 1})));
    say(fmt::format("    Space needed: about {}, {} of it for the index",
                    bytes_text(vectors + graph + report_.planned * row_bytes), bytes_text(graph)));
}

/// What embedding_model says: the configured model, else the one that the guide's users or this program's make vectors
/// of that size with.
std::string CatalogJob::model() const {
    if (embedder_) return embedder_->model().name;
    if (!request_.model.empty()) return request_.model;
    if (shape_.dimension == 768) return "nomic-embed-text";
    return shape_.dimension == 384 ? "multilingual-e5-small" : "unknown";
}

std::uint64_t CatalogJob::batches() const noexcept {
    return (report_.planned + request_.batch_size - 1) / request_.batch_size;
}

/// The lines of the batches that are complete; of many, about a hundred.
void CatalogJob::say_batches() {
    const std::uint64_t all = batches();
    const std::uint64_t step = (all + most_batches_told - 1) / most_batches_told;
    while (said_ < all) {
        const std::uint64_t batch = std::min(said_ + step, all);
        const std::uint64_t end = std::min(batch * request_.batch_size, report_.planned);
        const std::uint64_t begin = (batch - 1) * request_.batch_size;
        if (done_ < end) return;
        say(fmt::format("  Processing batch {}/{} ({} products)...", batch, all, end - begin));
        say(fmt::format("  Progress: {}/{} ({:.1f}%) - Migrated: {}, Errors: {}", end, report_.planned,
                        100.0 * static_cast<double>(end) / static_cast<double>(report_.planned), report_.migrated,
                        report_.errors));
        said_ = batch;
    }
}

bool CatalogJob::take(const WriteOutcome& outcome) {
    if (!outcome.note.empty()) {
        observer_.note(outcome.note);
        return true;
    }
    for (const std::uint32_t product : outcome.written)
        is_written_[product] = true;
    for (const std::uint32_t product : outcome.changed)
        note_product(product, "its text was changed while it was migrated");
    for (const auto& [product, reason] : outcome.failed)
        note_product(product, reason);
    report_.migrated += outcome.written.size();
    report_.skipped += outcome.changed.size();
    report_.waiting += outcome.changed.size();
    report_.errors += outcome.failed.size();
    report_.bytes += outcome.bytes;
    done_ += outcome.products();
    say_batches();
    return observer_.progress(done_, report_.bytes);
}

/// The writers outlive a restart of the server; so does what comes after them.
void CatalogJob::reconnect_if_lost() {
    RetryBudget budget;
    for (bool is_first = true;; is_first = false) {
        try {
            if (!is_first) {
                db_ = std::make_unique<pg::Connection>(pg::Connection::open(request_.conninfo));
                lock_ = std::make_unique<TargetLock>(request_.conninfo, table_);
                RunStore{*db_}.take_over(report_.run_id, lock_->token());
            }
            db_->exec("SELECT 1");
            return;
        } catch (const Error& error) {
            if (!error.is_retryable() || !budget.wait(error, false, observer_)) throw;
        }
    }
}

void CatalogJob::migrate() {
    say("");
    say(fmt::format("[Step 4/6] Migrating {} products...", report_.planned));
    if (report_.planned == 0) {
        say("  Nothing to migrate");
        ensure_index();
        return;
    }
    drop_index_if_rebuilt();
    if (plan_.planned > 0) write_reused();
    embed_waiting();
    if (done_ < report_.planned) throw interrupted_error();
    reconnect_if_lost();
    ensure_index();
}

void CatalogJob::write_reused() {
    const std::uint64_t batches_a_transaction = (batches() + most_batches_told - 1) / most_batches_told;
    CatalogWriter writer{*source_,
                         index_,
                         plan_,
                         {.conninfo = request_.conninfo,
                          .model = model(),
                          .connections = request_.connections,
                          .products_a_transaction = batches_a_transaction * request_.batch_size,
                          .run_id = report_.run_id,
                          .token = lock_->token(),
                          .vector_type = pgvector_->type(pg::VectorType::vector)}};
    timed("migrate", report_.planned, [&] { writer.run([&](const WriteOutcome& outcome) { return take(outcome); }); });
    if (done_ < plan_.planned) throw interrupted_error();
}

Error CatalogJob::interrupted_error() const {
    return {
        ErrorCode::cancelled,
        fmt::format("Interrupted after {} of {} products: all batches so far are committed", done_, report_.planned),
        "Go on with: " + request_.command_line};
}

void CatalogJob::finish() {
    say("");
    say("[Step 6/6] Writing migration report...");
    if (embedder_) {
        if (auto others = store::EmbeddingStore{*db_}.note_of_others(model())) report_.warnings.push_back(*others);
    }
    store::JobQueue{*db_}.drop_fresh(model());
    RunStore runs{*db_};
    db_->exec("SELECT refresh_embedding_stats()");
    runs.set_counts(report_.run_id, {.read = plan_.products.size(),
                                     .updated = report_.migrated,
                                     .unchanged = report_.already,
                                     .rejected = report_.errors,
                                     .bytes = report_.bytes});
    runs.finish(report_.run_id,
                {.state = report_.is_verified() ? "done" : "differs", .report = migration_json(report_)});
    failpoint("migrate.finished");
    report_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
    say("");
    say("MIGRATION SUMMARY");
    say(std::string(80, '='));
    say(fmt::format("Duration: {:.2f} seconds", report_.seconds));
    say("");
    say(fmt::format("Total products: {}", report_.total));
    say(fmt::format("Successfully migrated: {}", report_.migrated));
    if (report_.embedded > 0) say(fmt::format("  Embedded with {}: {}", model(), report_.embedded));
    if (report_.cut > 0) say(fmt::format("  Of these, text cut to what the model takes: {}", report_.cut));
    say(fmt::format("Skipped: {}", report_.skipped));
    if (report_.already > 0) say(fmt::format("  Already embedded: {}", report_.already));
    if (report_.waiting > 0) say(fmt::format("  Waiting for an embedder: {}", report_.waiting));
    say(fmt::format("Errors: {}", report_.errors));
    say("");
    say(fmt::format("Final pgvector coverage: {:.1f}%", report_.coverage()));
    say("");
    say("Next Steps:");
    say("1. Verify search quality with test queries");
    say("2. Update environment variables:");
    say("   USE_PGVECTOR=true");
    say("   PRODUCT_SEARCH_STRATEGY=pgvector_primary");
    say("3. Monitor LangSmith for search quality metrics");
    say("4. Consider keeping ChromaDB as fallback initially");
}

}  // namespace decant::migrate::detail

namespace decant::migrate {

MigrationReport migrate_catalog(const MigrationRequest& request, MigrationObserver& observer) {
    detail::CatalogJob job{request, observer};
    try {
        return job.run();
    } catch (const Error& error) {
        observer.end_phase();
        job.mark(error.code() == ErrorCode::cancelled ? "stopped" : "failed");
        throw;
    }
}

}  // namespace decant::migrate
