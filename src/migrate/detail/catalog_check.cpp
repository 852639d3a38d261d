#include <fmt/format.h>

#include <algorithm>

#include "core/quantity_text.hpp"
#include "migrate/detail/catalog_job.hpp"
#include "migrate/detail/retry.hpp"
#include "store/column_model.hpp"
#include "store/index_builder.hpp"
#include "store/server_check.hpp"
#include "store/server_disk.hpp"

namespace decant::migrate::detail {
namespace {

constexpr std::string_view may_record_sql =
    "SELECT CASE WHEN n.oid IS NULL THEN pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') "
    "ELSE pg_catalog.has_schema_privilege(n.oid, 'USAGE') END FROM (SELECT "
    "pg_catalog.to_regnamespace('decant')::oid) n (oid)";

}  // namespace

void CatalogJob::check() {
    say("[Step 1/6] Running pre-flight checks...");
    const auto attempt = [&](auto step) {
        const std::size_t before = problems_.size();
        try {
            (this->*step)();
        } catch (const Error& error) {
            problems_.push_back(error);
        }
        return problems_.size() == before;
    };
    const bool has_source = attempt(&CatalogJob::open_source);
    // With --reuse always it may turn out that nothing is to be embedded.
    if (request_.reuse != Reuse::always) attempt(&CatalogJob::open_embedder);
    const bool has_database = attempt(&CatalogJob::open_target);
    if (has_database) attempt(&CatalogJob::check_catalog);
    const auto tell = [&](bool is_good, const std::string& good, const std::string& bad) {
        say(fmt::format("  {} {}", is_good ? "✓" : "✗", is_good ? good : bad));
    };
    const bool has_old = std::ranges::any_of(
        problems_, [](const Error& problem) { return problem.happened().starts_with("pgvector "); });
    const std::string bad = pgvector_ ? "pgvector extension too old" : "pgvector extension not installed";
    tell(pgvector_ && !has_old, "pgvector extension available", has_database ? bad : "pgvector extension not checked");
    const bool is_absent = !has_source && problems_.front().code() == ErrorCode::not_found;
    tell(has_source, fmt::format("ChromaDB collection '{}' found", request_.collection.name),
         fmt::format("ChromaDB collection '{}' {}", request_.collection.name,
                     is_absent ? "not found" : "cannot be read"));
    tell(has_database, "Database connection successful", "Database connection failed");
    if (embedder_) {
        const embed::Model& chosen = embedder_->model();
        say(fmt::format("  ✓ Embedding model {} available ({}, {}-d)", chosen.name, chosen.provider, chosen.dimension));
    }
    // The guide's lines tell of three things; every other problem gets a line of its own.
    for (const Error& problem : problems_) {
        const bool is_told = problem.happened().starts_with("pgvector ") ||
                             (!has_source && &problem == &problems_.front()) ||
                             (!has_database && &problem == &problems_.back());
        if (!is_told) say("  ✗ " + problem.happened());
    }
    throw_problems(problems_);
    if (!request_.dry_run) lock_ = std::make_unique<TargetLock>(request_.conninfo, table_);
}

void CatalogJob::open_source() {
    origin_ = chroma::open_source(request_.source);
    source_ = origin_->read(chroma::find_collection(*origin_, request_.collection));
    report_.collection = source_->collection();
    if (!source_->lost().empty()) {
        if (!request_.allow_partial) throw lost_records_error(request_.source.from, *source_);
        report_.warnings.push_back(fmt::format("{} records of the source cannot be had whole", source_->lost().size()));
    }
    // The catalog's index is a cosine one whatever space the collection was searched in.
    shape_ = {.dimension = report_.collection.dimension.value_or(0), .space = chroma::Space::cosine};
}

void CatalogJob::open_target() {
    db_ = std::make_unique<pg::Connection>(pg::Connection::open(request_.conninfo));
}

void CatalogJob::check_catalog() {
    const store::ServerFacts facts = store::read_server_facts(*db_);
    pgvector_ = facts.pgvector;
    std::ranges::move(store::find_server_problems(*db_, facts, true), std::back_inserter(problems_));
    const store::CatalogState catalog = store::read_catalog_state(*db_);
    const std::uint32_t wanted_dimension =
        embedder_ ? static_cast<std::uint32_t>(embedder_->model().dimension) : shape_.dimension;
    const auto dimension = wanted_dimension > 0 ? std::optional{wanted_dimension} : std::nullopt;
    if (auto problem = store::embedding_problem(*db_, catalog, dimension)) problems_.push_back(std::move(*problem));
    if (!catalog.has_products) return;
    table_.schema = catalog.schema;
    if (!catalog.may_write) {
        problems_.push_back({ErrorCode::permission_denied,
                             fmt::format("Role '{}' may not read and update {}", db_->user(), table_.shown()),
                             fmt::format("Have its owner run: GRANT SELECT, INSERT, UPDATE ON {} TO {};",
                                         table_.quoted(*db_), db_->quote_identifier(db_->user()))});
    }
    if (!db_->exec(may_record_sql).boolean(0, 0)) {
        problems_.push_back(
            {ErrorCode::permission_denied,
             fmt::format("Role '{}' may not use the schema 'decant', where run records are kept", db_->user()),
             fmt::format(
                 "Have an administrator run: CREATE SCHEMA IF NOT EXISTS decant; GRANT ALL ON SCHEMA decant TO {0}; "
                 "GRANT ALL ON ALL TABLES IN SCHEMA decant TO {0};",
                 db_->quote_identifier(db_->user()))});
    }
    check_dimensions(catalog);
    if (const auto column = store::read_column_model(*db_); column && !embedder_ && request_.reuse == Reuse::always) {
        problems_.push_back(
            {ErrorCode::conflict,
             fmt::format("The catalog's vectors are of model '{}' ({}), and --reuse always does not look "
                         "whose the source's are",
                         column->name, column->provider),
             "Leave it out: what can be reused is found by comparing."});
    }
    const std::uint64_t wanted =
        source_ ? store::graph_bytes({.dimension = shape_.dimension, .rows = source_->record_count()}) : 0;
    const auto free = store::free_server_bytes(*db_);
    if (free && *free < wanted) {
        problems_.push_back({ErrorCode::store_full,
                             fmt::format("The server's disk has {} left, the migration needs about {}",
                                         bytes_text(*free), bytes_text(wanted)),
                             "Make room on the server's disk, then run the same command again."});
    }
}

}  // namespace decant::migrate::detail
