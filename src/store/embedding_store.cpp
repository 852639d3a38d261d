#include "store/embedding_store.hpp"

#include <fmt/format.h>

#include "pg/binary_row.hpp"
#include "store/catalog_state.hpp"
#include "store/pgvector.hpp"

namespace decant::store {
namespace {

// In all of these {0} is the vector's column, {1} its model's, {2} its digest's and {3} its time's.

// jsonb fixes the order of an object's members, whatever the column's type.
constexpr std::string_view read_template = R"sql(
SELECT p.id, p.name, p.model, p.description, p.specs, c.name, c.display_name, b.name,
       p.technical_specs::jsonb::text, p.features::jsonb::text, p.active, p.{0} IS NOT NULL,
       p.{3} IS NULL, p.{1}, p.{2}
FROM products p
LEFT JOIN categories c ON c.id = p.category_id
LEFT JOIN brands b ON b.id = p.brand_id
WHERE p.id = ANY ($1::uuid[]))sql";

constexpr std::string_view lock_sql =
    "SELECT id FROM products WHERE id = ANY ($1::uuid[]) FOR NO KEY UPDATE SKIP LOCKED";

constexpr std::string_view write_template = R"sql(
UPDATE products p SET {0} = s.embedding, {1} = $3, {2} = s.hash, {3} = pg_catalog.timezone('UTC', pg_catalog.now())
FROM unnest($1::uuid[], $2::bytea[], $4::{4}[]) AS s (id, hash, embedding)
WHERE p.id = s.id)sql";

constexpr std::string_view confirm_template =
    "UPDATE products SET {1} = $2, {3} = pg_catalog.timezone('UTC', pg_catalog.now()) WHERE id = ANY ($1::uuid[])";

constexpr std::string_view mark_template =
    "UPDATE products SET {3} = NULL, {2} = CASE WHEN $2::boolean THEN NULL ELSE {2} END "
    "WHERE {0} IS NOT NULL AND {1} = $1 AND ({3} IS NOT NULL OR $2::boolean)";

constexpr std::string_view others_sql =
    "SELECT count(*), pg_catalog.string_agg(DISTINCT coalesce(embedding_model, 'unknown'), ', ') FROM products "
    "WHERE active AND embedding IS NOT NULL AND embedding_model IS DISTINCT FROM $1";

}  // namespace

std::string EmbeddingStore::with_columns(std::string_view statement, const std::string& type) const {
    return fmt::format(fmt::runtime(statement), columns_.embedding, columns_.model, columns_.hash, columns_.update,
                       type);
}

EmbeddingStore::EmbeddingStore(pg::Connection& db, const VectorColumns& columns) : db_(db), columns_(columns) {
    const auto pgvector = find_pgvector(db);
    if (auto problem = embedding_problem(db, read_catalog_state(db)); problem || !pgvector)
        throw std::move(problem).value_or(Error{ErrorCode::not_found, "pgvector extension not installed in database",
                                                "Install it with `decant schema up`."});
    const std::string type = pgvector->type(pg::VectorType::vector);
    write_sql_ = with_columns(write_template, type);
    read_sql_ = with_columns(read_template);
    vector_type_ = static_cast<std::uint32_t>(db.query("SELECT $1::regtype::oid::bigint", {type}).integer(0, 0));
}

// Two statements: one alone reads brands and categories as they were before it waited for its locks, so that a product
// whose brand was renamed in between would look unchanged.
std::vector<EmbeddedProduct> EmbeddingStore::lock(const std::vector<std::string>& ids) {
    const pg::Result rows = db_.query(lock_sql, {pg::array_literal(ids)});
    std::vector<std::string> locked;
    for (int row = 0; row < rows.rows(); ++row)
        locked.emplace_back(rows.text(row, 0));
    return read(locked);
}

std::vector<EmbeddedProduct> EmbeddingStore::read(const std::vector<std::string>& ids) {
    const pg::Result rows = db_.query(read_sql_, {pg::array_literal(ids)});
    std::vector<EmbeddedProduct> products;
    for (int row = 0; row < rows.rows(); ++row) {
        products.push_back({.id = std::string{rows.text(row, 0)},
                            .product = {.name = rows.optional_text(row, 1),
                                        .model = rows.optional_text(row, 2),
                                        .specs = rows.optional_text(row, 4),
                                        .description = rows.optional_text(row, 3),
                                        .category = rows.optional_text(row, 5),
                                        .category_display_name = rows.optional_text(row, 6),
                                        .brand = rows.optional_text(row, 7),
                                        .technical_specs = rows.optional_text(row, 8),
                                        .features = rows.optional_text(row, 9)},
                            .is_active = rows.boolean(row, 10),
                            .has_embedding = rows.boolean(row, 11),
                            .is_marked = rows.boolean(row, 12),
                            .model = rows.optional_text(row, 13).value_or(""),
                            .hash = rows.is_null(row, 14) ? std::string{} : rows.bytes(row, 14)});
    }
    return products;
}

void EmbeddingStore::write(std::span<const NewEmbedding> embeddings, const std::string& model) {
    pg::VectorArray vectors{vector_type_, embeddings.size()};
    std::vector<std::string> ids;
    std::vector<std::string> hashes;
    for (const NewEmbedding& one : embeddings) {
        ids.emplace_back(one.id);
        hashes.push_back("\\x" + hex(one.hash));
        vectors.add(one.vector);
    }
    db_.query(write_sql_, {pg::array_literal(ids), pg::array_literal(hashes), model}, vectors.take());
}

void EmbeddingStore::confirm(const std::vector<std::string>& ids, const std::string& model) {
    db_.query(with_columns(confirm_template), {pg::array_literal(ids), model});
}

std::optional<std::string> EmbeddingStore::note_of_others(const std::string& model) {
    const pg::Result others = db_.query(others_sql, {model});
    if (others.integer(0, 0) == 0) return std::nullopt;
    return fmt::format(
        "{} products have vectors of another model ({}), which cannot be compared with those of {}; "
        "embed them anew with: decant embed --stale",
        others.integer(0, 0), others.text(0, 1), model);
}

std::optional<ColumnModel> EmbeddingStore::column_model() {
    return read_column_model(db_, columns_.embedding);
}

std::uint64_t EmbeddingStore::mark_stale(const std::string& model, bool for_good) {
    return db_.query(with_columns(mark_template), {model, for_good ? "true" : "false"}).affected();
}

}  // namespace decant::store
