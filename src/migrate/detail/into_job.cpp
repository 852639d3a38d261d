#include "migrate/detail/into_job.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "migrate/detail/retry.hpp"
#include "pg/copy.hpp"

namespace decant::migrate::detail {
namespace {

constexpr std::size_t page_records = 4'000;

constexpr std::string_view column_sql =
    "SELECT a.attname, t.typname, a.atttypmod, pg_catalog.format_type(a.atttypid, NULL) FROM pg_catalog.pg_attribute a "
    "JOIN pg_catalog.pg_type t ON t.oid = a.atttypid WHERE a.attrelid = pg_catalog.to_regclass($1) AND a.attname = $2 "
    "AND a.attnum > 0 AND NOT a.attisdropped";

/// Appends what COPY takes for the vector; false when a value overflows halfvec.
bool append_vector(pg::BinaryRow& row, pg::VectorType type, std::span<const float> vector) {
    if (type == pg::VectorType::halfvec) return row.halfvec(vector);
    row.vector(vector);
    return true;
}

}  // namespace

std::optional<std::string> key_of(const chroma::Record& record, const MatchKey& match) {
    if (!match.metadata_key) return std::string{record.id};
    const chroma::MetadataValue* value = find_metadata(record, *match.metadata_key);
    return value == nullptr ? std::nullopt : text_of(*value);
}

IntoJob::IntoJob(const IntoRequest& request, CopyObserver& observer) : request_(request), observer_(observer) {}

IntoReport IntoJob::run() {
    open_source();
    open_target();
    find_ambiguous_keys();
    fill();
    if (request_.verify) verify();
    finish();
    return std::move(report_);
}

void IntoJob::open_source() {
    origin_ = chroma::open_source(request_.source);
    source_ = origin_->read(chroma::find_collection(*origin_, request_.collection));
    const chroma::Collection& collection = source_->collection();
    report_.collection = collection;
    report_.lost = source_->lost().size();
    if (report_.lost > 0 && !request_.allow_partial) throw lost_records_error(request_.source.from, *source_);
    if (!collection.dimension || !collection.space) {
        throw Error{ErrorCode::source_unreadable,
                    fmt::format("Collection '{}' has no vectors to take", collection.name),
                    "See what it holds with `decant inspect`."};
    }
    report_.shape = {.dimension = *collection.dimension, .space = *collection.space, .type = request_.type};
}

void IntoJob::open_target() {
    report_.table = request_.table;
    report_.column = request_.column;
    db_ = std::make_unique<pg::Connection>(pg::Connection::open(request_.conninfo));
    Preflight preflight = check_target(
        *db_, {.table = request_.table, .shape = report_.shape, .index = store::IndexKind::none, .makes_table = false});
    throw_problems(preflight.problems);
    if (!preflight.table_exists) {
        throw Error{ErrorCode::not_found,
                    fmt::format("There is no table {} in database '{}'", request_.table.shown(), db_->database()),
                    "Name the table as --into NAME and --schema SCHEMA."};
    }
    lock_ = std::make_unique<TargetLock>(request_.conninfo, request_.table);
    pgvector_ = ensure_pgvector(*db_, preflight);
    check_column();
    RunStore runs{*db_};
    runs.prepare();
    report_.run_id = runs.create(Run{.command = "into",
                                     .schema = request_.table.schema,
                                     .table = request_.table.table,
                                     .load_table = request_.table.table,
                                     .source_path = origin_->location(),
                                     .tenant = report_.collection.tenant,
                                     .database = report_.collection.database,
                                     .collection = report_.collection.name,
                                     .collection_id = report_.collection.id,
                                     .fingerprint = source_->fingerprint(),
                                     .shape = report_.shape});
}

void IntoJob::check_column() {
    const std::string table = request_.table.quoted(*db_);
    const pg::Result match = db_->query(column_sql, {table, request_.match.column});
    if (match.empty()) {
        throw Error{ErrorCode::not_found,
                    fmt::format("{}.{} column not found", request_.table.table, request_.match.column),
                    "Name a column of the table in --match COLUMN=metadata.KEY."};
    }
    match_type_ = match.text(0, 3);
    const pg::Result column = db_->query(column_sql, {table, request_.column});
    const std::string wanted = fmt::format("{}({})", pg::name_of(report_.shape.type), report_.shape.dimension);
    if (column.empty()) {
        if (!request_.add_column) {
            throw Error{ErrorCode::not_found,
                        fmt::format("{}.{} column not found", request_.table.table, request_.column),
                        fmt::format("Let decant add it as {} with --add-column.", wanted)};
        }
        db_->exec(fmt::format(
            "SET lock_timeout = '10s'; ALTER TABLE {} ADD COLUMN IF NOT EXISTS {} {}({}); RESET lock_timeout", table,
            db_->quote_identifier(request_.column), pgvector_->type(report_.shape.type), report_.shape.dimension));
        report_.column_added = true;
        return;
    }
    const bool is_vector = column.text(0, 1) == pg::name_of(report_.shape.type);
    const std::int64_t dimension = column.integer(0, 2);
    if (is_vector && (dimension < 0 || dimension == report_.shape.dimension)) return;
    throw Error{ErrorCode::dimension_mismatch,
                fmt::format("Embedding dimension mismatch: collection '{}' holds {}-d vectors, column {}.{} is {}{}",
                            report_.collection.name, report_.shape.dimension, request_.table.table, request_.column,
                            column.text(0, 1), dimension > 0 ? fmt::format("({})", dimension) : ""),
                fmt::format("Name another column with --column NAME --add-column: it is made as {}.", wanted)};
}

void IntoJob::find_ambiguous_keys() {
    if (!request_.match.metadata_key) return;
    std::vector<ShortDigest> digests;
    for (auto page = source_->next_page(page_records); !page.empty(); page = source_->next_page(page_records)) {
        for (const chroma::Record& record : page) {
            if (const auto key = key_of(record, request_.match)) digests.push_back(short_digest(*key));
        }
    }
    source_->rewind();
    std::sort(digests.begin(), digests.end());
    for (std::size_t i = 1; i < digests.size(); ++i) {
        const bool is_new = ambiguous_.empty() || ambiguous_.back() != digests[i];
        if (digests[i] == digests[i - 1] && is_new) ambiguous_.push_back(digests[i]);
    }
}

void IntoJob::fill() {
    const auto start = std::chrono::steady_clock::now();
    observer_.begin_phase("fill", source_->record_count());
    for (auto page = source_->next_page(page_records); !page.empty(); page = source_->next_page(page_records)) {
        fill_page(page);
        if (observer_.progress(report_.counts.read, report_.counts.bytes)) continue;
        throw Error{ErrorCode::cancelled, "Interrupted at a page edge: all pages so far are committed",
                    "Run the same command again: rows that are filled are not written again."};
    }
    observer_.end_phase();
    report_.phases.push_back({"fill", std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count()});
}

void IntoJob::reject(const chroma::Record& record, std::string reason) {
    report_.rejects.push_back(make_reject(record, std::move(reason)).line);
    ++report_.counts.rejected;
}

std::optional<std::string> IntoJob::find_fault(const chroma::Record& record,
                                               const std::optional<std::string>& key) const {
    if (!key) return fmt::format("metadata has no '{}'", *request_.match.metadata_key);
    if (const auto text = find_text_fault(*key)) return "the key holds " + *text;
    if (std::binary_search(ambiguous_.begin(), ambiguous_.end(), short_digest(*key))) {
        return fmt::format("several records have the key '{}'", *key);
    }
    return find_vector_fault(report_.shape, record.vector);
}

void IntoJob::fill_page(std::span<const chroma::Record> records) {
    std::string rows;
    for (const chroma::Record& record : records) {
        ++report_.counts.read;
        const auto key = key_of(record, request_.match);
        if (auto fault = find_fault(record, key)) {
            reject(record, std::move(*fault));
            continue;
        }
        const std::size_t begin = rows.size();
        pg::BinaryRow row{rows, 3};
        row.text(*key);
        row.text(record.id);
        const std::size_t vector_at = rows.size() + 4;
        if (!append_vector(row, report_.shape.type, record.vector)) {
            rows.resize(begin);
            reject(record, "vector: a value is over 65,504, the largest of halfvec");
            continue;
        }
        written_.push_back({short_digest(*key), short_digest(std::string_view{rows}.substr(vector_at))});
    }
    if (!rows.empty()) write_page(rows);
    ++pages_done_;
}

void IntoJob::write_page(const std::string& rows) {
    const std::string table = request_.table.quoted(*db_);
    const std::string column = db_->quote_identifier(request_.column);
    const std::string match = db_->quote_identifier(request_.match.column);
    // An index on a text key is used as it is; other types are compared by their text form.
    const bool is_text = match_type_ == "text" || match_type_ == "character varying";
    const std::string is_same = fmt::format("t.{}{} = p.key", match, is_text ? "" : "::text");
    const std::string send = fmt::format("{}.{}_send", pgvector_->schema, pg::name_of(report_.shape.type));

    pg::Transaction tx{*db_};
    db_->exec(fmt::format("CREATE TEMPORARY TABLE decant_page (key text, id text, embedding {}({})) ON COMMIT DROP",
                          pgvector_->type(report_.shape.type), report_.shape.dimension));
    pg::CopyIn copy{*db_, "COPY decant_page (key, id, embedding) FROM STDIN (FORMAT binary)"};
    copy.write(rows);
    copy.finish();
    db_->exec("ANALYZE decant_page");
    const pg::Result unmatched = db_->exec(fmt::format(
        "SELECT p.id FROM decant_page p WHERE NOT EXISTS (SELECT FROM {} t WHERE {}) ORDER BY p.id", table, is_same));
    const pg::Result matched =
        db_->exec(fmt::format("SELECT count(*) FROM decant_page p JOIN {} t ON {}", table, is_same));
    const pg::Result updated =
        db_->exec(fmt::format("UPDATE {} t SET {} = p.embedding FROM decant_page p WHERE {} AND (t.{} IS NULL OR "
                              "{}(t.{}) <> {}(p.embedding))",
                              table, column, is_same, column, send, column, send));
    tx.commit();

    report_.counts.updated += updated.affected();
    report_.counts.unchanged += static_cast<std::uint64_t>(matched.integer(0, 0)) - updated.affected();
    report_.counts.bytes += rows.size();
    report_.unmatched_records += static_cast<std::uint64_t>(unmatched.rows());
    for (int row = 0; row < unmatched.rows() && report_.unmatched_ids.size() < max_listed_unmatched; ++row) {
        report_.unmatched_ids.emplace_back(unmatched.text(row, 0));
    }
}

void IntoJob::verify() {
    const auto start = std::chrono::steady_clock::now();
    observer_.begin_phase("verify", written_.size());
    std::sort(written_.begin(), written_.end());
    VerifyOutcome outcome{.against = "source"};
    pg::Transaction tx{*db_, "BEGIN; SET LOCAL statement_timeout = 0"};
    pg::CopyOut copy{*db_, fmt::format("COPY (SELECT {}::text, {} FROM {}) TO STDOUT (FORMAT binary)",
                                       db_->quote_identifier(request_.match.column),
                                       db_->quote_identifier(request_.column), request_.table.quoted(*db_))};
    while (const auto tuple = copy.next()) {
        const auto fields = pg::fields_of(*tuple);
        const ShortDigest digest = short_digest(fields[0]);
        const auto found = std::lower_bound(written_.begin(), written_.end(), KeyDigest{digest, {}});
        if (fields[0].data() == nullptr || found == written_.end() || found->key != digest) {
            ++report_.unmatched_rows;
            if (report_.unmatched_keys.size() < max_listed_unmatched) {
                report_.unmatched_keys.emplace_back(fields[0].data() == nullptr ? std::string_view{"NULL"} : fields[0]);
            }
            continue;
        }
        ++outcome.rows;
        outcome.bytes += tuple->size();
        if (short_digest(fields[1]) == found->vector) continue;
        ++outcome.difference_count;
        outcome.differences.push_back({Difference::Kind::changed, std::string{fields[0]}, request_.column});
    }
    tx.commit();
    observer_.end_phase();
    outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    report_.phases.push_back({"verify", outcome.seconds});
    report_.verification = std::move(outcome);
}

void IntoJob::finish() {
    const bool is_equal = !report_.verification || report_.verification->is_equal();
    report_.index_sql = fmt::format("CREATE INDEX CONCURRENTLY ON {} USING hnsw ({} {})", request_.table.quoted(*db_),
                                    db_->quote_identifier(request_.column),
                                    pgvector_->operator_class(report_.shape.type, report_.shape.space));
    RunStore{*db_}.finish(report_.run_id, {.state = is_equal ? "done" : "differs", .report = "{}"});
}

void IntoJob::mark(const std::string& state) noexcept {
    if (db_ && is_under_way()) mark_run(*db_, report_.run_id, state);
}

}  // namespace decant::migrate::detail

namespace decant::migrate {

IntoReport copy_into(const IntoRequest& request, CopyObserver& observer) {
    return detail::run_with_retries([&] { return detail::IntoJob{request, observer}; }, observer);
}

}  // namespace decant::migrate
