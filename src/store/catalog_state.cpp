#include "store/catalog_state.hpp"

#include <fmt/format.h>

namespace decant::store {
namespace {

constexpr std::string_view products_sql = R"sql(
SELECT n.nspname, pg_catalog.pg_has_role(c.relowner, 'USAGE') AND pg_catalog.has_schema_privilege(n.oid, 'CREATE'),
       pg_catalog.has_table_privilege(c.oid, 'SELECT') AND pg_catalog.has_table_privilege(c.oid, 'INSERT')
           AND pg_catalog.has_table_privilege(c.oid, 'UPDATE'),
       t.typname, a.atttypmod
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = $1 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE c.oid = pg_catalog.to_regclass('products'))sql";

// "$user" may be first in search_path, and decant's own tables are in a schema that has the name of such a role.
constexpr std::string_view new_schema_sql = R"sql(
SELECT nspname, pg_catalog.has_schema_privilege(oid, 'CREATE') FROM pg_catalog.pg_namespace
WHERE nspname = ANY (pg_catalog.current_schemas(false)) AND nspname <> 'decant'
ORDER BY pg_catalog.array_position(pg_catalog.current_schemas(false), nspname) LIMIT 1)sql";

// An IVFFlat index in the place of the HNSW one is a user's choice.
constexpr std::string_view missing_sql = R"sql(
SELECT wanted.version,
       CASE WHEN wanted.kind LIKE '% of ours' THEN replace(wanted.kind, 'of ours', 'decant.') ELSE wanted.kind || ' ' END
           || wanted.name
FROM (VALUES (0, 'table', 'categories'), (0, 'table', 'subcategories'), (0, 'table', 'brands'), (0, 'table', 'products'),
             (1, 'column', 'embedding'), (1, 'column', 'last_embedding_update'), (1, 'column', 'embedding_model'),
             (1, 'column', 'embedding_version'), (1, 'column', 'embedding_hash'),
             (1, 'function', 'product_similarity'), (1, 'function', 'find_similar_products'),
             (1, 'function', 'refresh_embedding_stats'),
             (1, 'trigger', 'trigger_update_embedding_version'), (1, 'trigger', 'decant_mark_products'),
             (1, 'table', 'product_embedding_stats'), (1, 'index', 'idx_product_embedding_stats'),
             (1, 'index', 'idx_products_embedding_update'), (1, 'index', 'idx_products_stale_embeddings'),
             (1, 'index', 'idx_products_category_brand_stock'), (1, 'index', 'idx_products_embedding_hnsw'),
             (2, 'table of ours', 'embedding_jobs'), (2, 'table of ours', 'embedding_batches'),
             (2, 'table of ours', 'embedding_dead_letters'), (2, 'table of ours', 'embedding_models'),
             (2, 'trigger', 'decant_enqueue_changed'), (2, 'trigger', 'decant_enqueue_new'),
             (2, 'trigger', 'decant_enqueue_renamed'),
             (3, 'table of ours', 'product_words'), (3, 'table of ours', 'synonyms'), (3, 'index of ours', 'idx_product_words'),
             (3, 'function', 'decant_refresh_product_words'),
             (3, 'trigger', 'decant_words_changed'), (3, 'trigger', 'decant_words_new'),
             (3, 'trigger', 'decant_words_removed'), (3, 'trigger', 'decant_words_truncated'),
             (3, 'trigger', 'decant_words_renamed'),
             (4, 'table of ours', 'product_words'), (4, 'trigger', 'decant_words_changed'),
             (5, 'table of ours', 'api_keys'), (6, 'table of ours', 'chat_sessions'),
             (6, 'table of ours', 'chat_messages'), (6, 'table of ours', 'chat_events'),
             (7, 'table of ours', 'search_events'), (7, 'table of ours', 'feedback'),
             (7, 'table of ours', 'idempotency_keys'), (8, 'table of ours', 'sync_runs'),
             (8, 'table of ours', 'sync_seen'), (8, 'table of ours', 'sync_items'),
             (8, 'table of ours', 'sync_quarantine'), (9, 'table of ours', 'trace_runs'),
             (10, 'table of ours', 'experiments'), (10, 'table of ours', 'quality_probes'),
             (12, 'table of ours', 'maintenance_runs'), (13, 'table of ours', 'choices'))
     AS wanted (version, kind, name)
WHERE NOT CASE
    WHEN wanted.kind = 'table' THEN pg_catalog.to_regclass(wanted.name) IS NOT NULL
    -- Who may not look into the schema may be told by the catalogs still.
    WHEN wanted.kind LIKE '% of ours' THEN EXISTS (
        SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'decant' AND c.relname = wanted.name)
    WHEN wanted.kind = 'column' THEN EXISTS (
        SELECT FROM pg_catalog.pg_attribute
        WHERE attrelid = pg_catalog.to_regclass('products') AND attname = wanted.name AND NOT attisdropped)
    WHEN wanted.kind = 'function' THEN EXISTS (
        SELECT FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_class c ON c.relnamespace = p.pronamespace
        WHERE c.oid = pg_catalog.to_regclass('products') AND p.proname = wanted.name)
    WHEN wanted.kind = 'trigger' THEN EXISTS (
        SELECT FROM pg_catalog.pg_trigger WHERE tgname = wanted.name AND tgrelid IN
            (pg_catalog.to_regclass('products'), pg_catalog.to_regclass('categories'), pg_catalog.to_regclass('brands')))
    ELSE EXISTS (
        SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
        JOIN pg_catalog.pg_am am ON am.oid = c.relam
        WHERE i.indisvalid
          AND i.indrelid IN (pg_catalog.to_regclass('products'), pg_catalog.to_regclass('product_embedding_stats'))
          AND (c.relname = wanted.name OR (am.amname = 'ivfflat' AND wanted.name = 'idx_products_embedding_hnsw')))
    END)sql";

}  // namespace

std::string CatalogState::column_type() const {
    return dimension ? fmt::format("{}({})", embedding_type, *dimension) : embedding_type;
}

CatalogState read_catalog_state(pg::Connection& db, std::string_view column) {
    CatalogState state;
    const pg::Result products = db.query(products_sql, {std::string{column}});
    if (!products.empty()) {
        state.schema = products.text(0, 0);
        state.has_products = true;
        state.may_alter = products.boolean(0, 1);
        state.may_write = products.boolean(0, 2);
        state.embedding_type = products.text(0, 3);
        if (state.has_embedding() && products.integer(0, 4) > 0)
            state.dimension = static_cast<std::uint32_t>(products.integer(0, 4));
    } else if (const pg::Result place = db.exec(new_schema_sql); !place.empty()) {
        state.schema = place.text(0, 0);
        state.may_alter = state.may_write = place.boolean(0, 1);
    }
    const pg::Result missing = db.exec(missing_sql);
    for (int row = 0; row < missing.rows(); ++row)
        state.missing.push_back({static_cast<int>(missing.integer(row, 0)), std::string{missing.text(row, 1)}});
    return state;
}

std::optional<Error> embedding_problem(const pg::Connection& db, const CatalogState& state,
                                       std::optional<std::uint32_t> dimension) {
    if (state.has_embedding()) return std::nullopt;
    if (!state.has_products) {
        return Error{ErrorCode::not_found, fmt::format("There is no table products in database '{}'", db.database()),
                     "Make it with `decant schema up`, then load products with `decant products load FILE`."};
    }
    // Without being told, the script makes a column of the default dimension.
    const bool is_told = dimension && *dimension != default_dimension;
    return Error{
        ErrorCode::not_found, "products.embedding column not found",
        fmt::format("Run schema migration: `decant schema up{}`, or: {}{} -f "
                    "migrations/001_add_pgvector_support.sql",
                    dimension ? fmt::format(" --dimension {}", *dimension) : "",
                    is_told ? fmt::format("PGOPTIONS='-c decant.dimension={}' ", *dimension) : "", psql_command(db))};
}

std::optional<Error> dimension_problem(const CatalogState& state, std::uint32_t wanted, const std::string& holder) {
    if (!state.has_embedding() || (state.embedding_type == "vector" && state.dimension == wanted)) return std::nullopt;
    return Error{
        ErrorCode::dimension_mismatch,
        fmt::format("Embedding dimension mismatch: {} {}-d vectors, column products.embedding is {}", holder, wanted,
                    state.column_type()),
        fmt::format("Verify embedding model configuration: echo $OLLAMA_API_MODEL_EMBEDDING. To make the column "
                    "anew, which removes its vectors and what decant keeps beside them: decant schema down, then "
                    "decant schema up --dimension {}.",
                    wanted)};
}

}  // namespace decant::store
