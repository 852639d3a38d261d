-- Takes pgvector support away from the catalog, with all its vectors. The extension goes too, unless something else in
-- the database uses it: never with CASCADE, which would take every other vector column with it.

DROP MATERIALIZED VIEW IF EXISTS product_embedding_stats CASCADE;
DROP FUNCTION IF EXISTS refresh_embedding_stats();
DROP MATERIALIZED VIEW IF EXISTS product_embedding_stats_second CASCADE;
DROP TRIGGER IF EXISTS trigger_update_embedding_version_second ON products;
DROP FUNCTION IF EXISTS decant_mark_second_embedding() CASCADE;
DROP TRIGGER IF EXISTS trigger_update_embedding_version ON products;
DROP FUNCTION IF EXISTS update_embedding_version();
DROP FUNCTION IF EXISTS decant_mark_products_of_renamed() CASCADE;
DROP FUNCTION IF EXISTS find_similar_products;
DROP FUNCTION IF EXISTS product_similarity(uuid, uuid);
DROP INDEX IF EXISTS idx_products_embedding_hnsw;
DROP INDEX IF EXISTS idx_products_embedding_update;
DROP INDEX IF EXISTS idx_products_stale_embeddings;
DROP INDEX IF EXISTS idx_products_category_brand_stock;
ALTER TABLE IF EXISTS products
    DROP COLUMN IF EXISTS embedding,
    DROP COLUMN IF EXISTS last_embedding_update,
    DROP COLUMN IF EXISTS embedding_model,
    DROP COLUMN IF EXISTS embedding_version,
    DROP COLUMN IF EXISTS embedding_hash,
    DROP COLUMN IF EXISTS embedding_second,
    DROP COLUMN IF EXISTS embedding_second_model,
    DROP COLUMN IF EXISTS embedding_second_hash,
    DROP COLUMN IF EXISTS embedding_second_update;

DO $extension$
DECLARE
    users text;
BEGIN
    DROP EXTENSION IF EXISTS vector;
EXCEPTION WHEN dependent_objects_still_exist OR insufficient_privilege THEN
    GET STACKED DIAGNOSTICS users = PG_EXCEPTION_DETAIL;
    users := coalesce(nullif(users, ''), 'it belongs to another role');
    RAISE NOTICE 'the extension vector stays: %', users;
    PERFORM set_config('decant.extension_stays', users, true);  -- for the program, which reads no notices
END
$extension$;
