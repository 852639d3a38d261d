#include <fmt/format.h>

#include <algorithm>

#include "core/failpoint.hpp"
#include "migrate/detail/catalog_job.hpp"
#include "pg/binary_row.hpp"
#include "pg/copy.hpp"
#include "store/index_builder.hpp"

namespace decant::migrate::detail {
namespace {

constexpr auto index_name = "idx_products_embedding_hnsw";
constexpr std::size_t spot_checks = 3;
/// Below this, inserting into the index is quicker than a build is worth.
constexpr std::uint64_t rows_worth_a_build = 500;
constexpr std::uint64_t rebuilt_from = 10;  ///< times as many vectors as the index has

constexpr std::string_view indexes_sql =
    "SELECT ic.relname, i.indisvalid, pg_catalog.pg_has_role(c.relowner, 'USAGE'), "
    "(SELECT o.opcname FROM pg_catalog.pg_opclass o WHERE o.oid = i.indclass[0]) = 'vector_cosine_ops' "
    "FROM pg_catalog.pg_class c "
    "LEFT JOIN (pg_catalog.pg_index i JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid "
    "JOIN pg_catalog.pg_am am ON am.oid = ic.relam AND am.amname IN ('hnsw', 'ivfflat')) ON i.indrelid = c.oid "
    "WHERE c.oid = pg_catalog.to_regclass($1) ORDER BY i.indisvalid";

/// As row images, so that the recall probe takes them.
constexpr std::string_view read_back_sql =
    "COPY (SELECT id::text, NULL, NULL, embedding FROM {} WHERE embedding IS NOT NULL) TO STDOUT (FORMAT binary)";

constexpr std::string_view count_sql = "SELECT count(*) FROM products WHERE active = true AND embedding IS NOT NULL";

constexpr std::string_view lost_sql =
    "SELECT id FROM products WHERE id = $1 AND active = true AND embedding IS NULL AND coalesce(embedding_version, 0) "
    "= $2";

constexpr std::string_view spot_check_sql =
    "SELECT embedding IS NOT NULL AND {}.vector_norm(embedding) > 0 FROM products WHERE id = $1";

}  // namespace

void CatalogJob::drop_index_if_rebuilt() {
    const pg::Result indexes = db_->query(indexes_sql, {table_.quoted(*db_)});
    const bool is_worth = report_.planned >= rows_worth_a_build && report_.planned >= rebuilt_from * report_.before;
    for (int row = 0; row < indexes.rows(); ++row) {
        if (!is_worth || indexes.text(row, 0) != index_name || !indexes.boolean(row, 2)) continue;
        if (!indexes.boolean(row, 3)) continue;  // in half precision: what is made anew would be another
        try {
            pg::Transaction tx{*db_, "BEGIN; SET LOCAL lock_timeout = '2s'"};
            db_->exec(fmt::format("DROP INDEX {}.{}", db_->quote_identifier(table_.schema), index_name));
            tx.commit();
        } catch (const Error& error) {
            if (error.code() != ErrorCode::timed_out) throw;
            observer_.note(
                fmt::format("{} is locked by another session: its index is kept while vectors are written, "
                            "which takes longer",
                            table_.shown()));
        }
        failpoint("migrate.index_dropped");
    }
}

void CatalogJob::ensure_index() {
    const pg::Result indexes = db_->query(indexes_sql, {table_.quoted(*db_)});
    bool has_valid = false;
    for (int row = 0; row < indexes.rows(); ++row) {
        if (indexes.is_null(row, 0)) continue;
        if (indexes.boolean(row, 1)) {
            has_valid = true;
            continue;
        }
        db_->exec(fmt::format("DROP INDEX {}.{}", db_->quote_identifier(table_.schema),
                              db_->quote_identifier(indexes.text(row, 0))));
        observer_.note(
            fmt::format("Dropped index {}: it was left invalid by an interrupted build", indexes.text(row, 0)));
    }
    if (!has_valid) {
        if (!indexes.boolean(0, 2)) {
            report_.warnings.push_back(fmt::format(
                "products has no vector index and role '{}' may not make one: searches scan all rows", db_->user()));
            return;
        }
        const store::IndexPlan plan{.schema = table_.schema,
                                    .table = table_.table,
                                    .column = "embedding",
                                    .name = index_name,
                                    .concurrently = true,
                                    .dimension = shape_.dimension,
                                    .rows = report_.before + report_.planned};
        pg::Connection watcher = pg::Connection::open(request_.conninfo);
        try {
            timed("index", 0, [&] {
                store::build_index(
                    {*db_, watcher, store::size_build(*db_, plan)}, create_index_sql(*db_, *pgvector_, plan),
                    [&](const std::string&, std::uint64_t done, std::uint64_t) { return observer_.progress(done, 0); });
            });
        } catch (const Error& error) {
            if (error.code() != ErrorCode::cancelled) throw;
            throw Error{ErrorCode::cancelled,
                        "Interrupted while the index was built: all vectors are written, searches scan all rows",
                        "Go on with: " + request_.command_line};
        }
        failpoint("migrate.index_built");
    }
    if (report_.migrated > 0) db_->exec("ANALYZE " + table_.quoted(*db_));
}

/// The catalog lives: what was deleted, deactivated or given another text since it was written is not missing.
void CatalogJob::count_lost() {
    for (std::uint32_t i = 0; i < is_written_.size(); ++i) {
        if (!is_written_[i] || is_seen_[i]) continue;
        const ProductRow& product = index_.products()[i];
        const pg::Result lost = db_->query(lost_sql, {text_of(product.id), std::to_string(product.version)});
        if (lost.empty()) {
            ++report_.gone;
            continue;
        }
        ++report_.lost;
        note_product(i, "its vector is gone from PostgreSQL");
    }
}

void CatalogJob::verify() {
    say("");
    say("[Step 5/6] Verifying migration integrity...");
    std::optional<RecallProbe> probe;
    if (request_.verify) {
        probe.emplace(*db_, table_, shape_);
        compare_vectors(*probe);
        count_lost();
    }
    report_.after = static_cast<std::uint64_t>(db_->exec(count_sql).integer(0, 0));
    report_.expected = report_.after + report_.lost;
    if (!request_.verify) {
        say("  Skipped (--no-verify)");
        return;
    }
    say(fmt::format("  Products with pgvector embeddings after migration: {}", report_.after));
    say(fmt::format("  Expected embeddings: {}", report_.expected));
    spot_check();
    say_comparison();
    if (probe->is_usable()) {
        timed("recall", 0, [&] { report_.recall = probe->measure(*db_, *pgvector_); });
        say(fmt::format("  {} Index recall@{}: {:.3f} ({} queries)", report_.recall->recall < recall_floor ? "✗" : "✓",
                        recall_k, report_.recall->recall, report_.recall->queries));
    }
    failpoint("migrate.verified");
}

void CatalogJob::spot_check() {
    say("  Running spot checks on random products...");
    std::vector<std::uint32_t> candidates;
    for (std::uint32_t i = 0; i < is_written_.size(); ++i) {
        const ProductRow& product = index_.products()[i];
        if (product.is_active && (is_written_[i] || product.has_embedding)) candidates.push_back(i);
    }
    std::mt19937_64 random{request_.seed ? *request_.seed : std::random_device{}()};
    std::vector<std::uint32_t> chosen;
    std::ranges::sample(candidates, std::back_inserter(chosen), spot_checks, random);
    const std::string sql = fmt::format(spot_check_sql, pgvector_->schema);
    for (const std::uint32_t i : chosen) {
        const ProductRow& product = index_.products()[i];
        const pg::Result found = db_->query(sql, {text_of(product.id)});
        if (found.empty()) continue;
        const bool is_valid = found.boolean(0, 0);
        if (!is_valid) report_.invalid.push_back(product.name);
        say(is_valid ? fmt::format("  ✓ {} has valid embedding", product.name)
                     : fmt::format("  ✗ {} has no valid embedding", product.name));
    }
}

void CatalogJob::compare_row(std::string_view id, std::string_view vector) {
    const auto uuid = parse_uuid(id);
    const auto found = std::ranges::lower_bound(index_.products(), uuid.value(), {}, &ProductRow::id);
    if (found == index_.products().end() || found->id != *uuid) return;
    const auto at = static_cast<std::size_t>(found - index_.products().begin());
    const Choice& choice = plan_.choices[at];
    is_seen_[at] = true;
    if (is_embedded_[at]) return;
    if (!is_written_[at] && choice.state != Choice::State::usable) return;
    const bool is_equal = short_digest(vector) == choice.vector;
    if (!is_equal && !is_written_[at]) {
        ++report_.others;
        return;
    }
    ++report_.compared;
    if (is_equal) return;
    ++report_.differences;
    note_product(static_cast<std::uint32_t>(at), "its vector in PostgreSQL is not Chroma's");
}

void CatalogJob::compare_vectors(RecallProbe& probe) {
    is_seen_.assign(is_written_.size(), false);
    timed("verify", report_.after, [&] {
        pg::Transaction tx{*db_, "BEGIN; SET LOCAL statement_timeout = 0"};
        pg::CopyOut copy{*db_, fmt::format(read_back_sql, table_.quoted(*db_))};
        std::uint64_t rows = 0;
        while (const auto tuple = copy.next()) {
            probe.add_row(*tuple);
            const auto fields = pg::fields_of(*tuple);
            compare_row(fields[0], fields[3]);
            if (++rows % 1'000 == 0 && !observer_.progress(rows, 0)) {
                throw Error{ErrorCode::cancelled, "Interrupted while the vectors were compared: all are written",
                            "Go on with: " + request_.command_line};
            }
        }
        tx.commit();
    });
}

void CatalogJob::say_comparison() {
    if (report_.compared > 0) {
        say(fmt::format("  {} {} vectors compared with ChromaDB: {}", report_.differences == 0 ? "✓" : "✗",
                        report_.compared,
                        report_.differences == 0 ? "all equal" : fmt::format("{} differ", report_.differences)));
    }
    if (report_.others > 0)
        say(fmt::format("    Products that had another vector than ChromaDB's and keep it: {}", report_.others));
    if (report_.gone > 0)
        say(fmt::format("    Products that were removed or changed since they were written: {}", report_.gone));
}

}  // namespace decant::migrate::detail
