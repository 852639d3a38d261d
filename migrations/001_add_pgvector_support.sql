-- pgvector support of the product catalog. Plain SQL, safe to run twice, also by hand:
--   psql -h localhost -U enzo -d aynux -f 001_add_pgvector_support.sql
-- A new embedding column has 768 dimensions; another number:
--   PGOPTIONS='-c decant.dimension=512' psql -f 001_add_pgvector_support.sql
-- A column that is there keeps its dimension and its vectors. No superuser is needed where the extension exists.

CREATE EXTENSION IF NOT EXISTS vector;

DO $search_path$
DECLARE
    elsewhere text;
BEGIN
    -- On managed servers the extension may live in a schema that is not searched.
    SELECT quote_ident(n.nspname) INTO elsewhere FROM pg_catalog.pg_extension e
        JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
        WHERE e.extname = 'vector' AND n.nspname <> ALL (current_schemas(true));
    IF FOUND THEN
        PERFORM set_config('search_path', concat_ws(', ', nullif(current_setting('search_path'), ''), elsewhere), false);
    END IF;
END
$search_path$;

DO $columns$
DECLARE
    dimension int := coalesce(nullif(current_setting('decant.dimension', true), ''), '768');
    lacking record;
BEGIN
    IF to_regclass('products') IS NULL THEN
        RAISE EXCEPTION 'table products not found' USING HINT = 'Make the catalog first: decant schema up';
    END IF;
    -- Digests that outlived their vectors would keep new vectors from being made.
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_attribute
                   WHERE attrelid = to_regclass('products') AND attname = 'embedding' AND NOT attisdropped) THEN
        ALTER TABLE products DROP COLUMN IF EXISTS embedding_hash;
    END IF;
    -- Each is looked for first: ADD COLUMN IF NOT EXISTS locks out every reader also when there is nothing to add.
    FOR lacking IN
        SELECT wanted.name, wanted.type
        FROM (VALUES (1, 'embedding', format('vector(%s)', dimension)),
                     (2, 'last_embedding_update', 'timestamp'),  -- UTC
                     (3, 'embedding_model', 'varchar(100)'),
                     (4, 'embedding_version', 'integer DEFAULT 1'),
                     (5, 'embedding_hash', 'bytea')) AS wanted (place, name, type)
        WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_attribute
                          WHERE attrelid = to_regclass('products') AND attname = wanted.name AND NOT attisdropped)
        ORDER BY wanted.place
    LOOP
        EXECUTE format('ALTER TABLE products ADD COLUMN %I %s', lacking.name, lacking.type);
    END LOOP;
END
$columns$;

-- Functions of these names with other arguments or results are older forms of the same; left alone, they would make
-- every call and every DROP FUNCTION by name ambiguous.
DO $older_forms$
DECLARE
    older regprocedure;
BEGIN
    FOR older IN
        SELECT oid FROM pg_catalog.pg_proc
        WHERE proname IN ('product_similarity', 'find_similar_products') AND pronamespace = current_schema()::regnamespace
          AND (coalesce(proallargtypes, proargtypes::oid[] || prorettype)::regtype[], coalesce(proargnames, '{}')) NOT IN
              ((ARRAY['uuid', 'uuid', 'float8']::regtype[], ARRAY['product1_id', 'product2_id']),
               (ARRAY['vector', 'float8', 'int', 'uuid', 'uuid', 'float8', 'float8', 'bool', 'uuid', 'varchar', 'float8',
                      'float8', 'int', 'varchar', 'varchar']::regtype[],
                ARRAY['query_embedding', 'similarity_threshold', 'max_results', 'category_filter', 'brand_filter',
                      'min_price', 'max_price', 'require_stock', 'product_id', 'product_name', 'similarity_score',
                      'price', 'stock', 'category_name', 'brand_name']))
    LOOP
        EXECUTE 'DROP FUNCTION ' || older;
    END LOOP;
END
$older_forms$;

CREATE OR REPLACE FUNCTION product_similarity(product1_id uuid, product2_id uuid) RETURNS float8
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path FROM CURRENT
AS $$
    SELECT coalesce((SELECT 1 - (a.embedding <=> b.embedding) FROM products a, products b
                     WHERE a.id = product1_id AND b.id = product2_id), 0.0)
$$;

-- The most similar active products, best first. The HNSW index gives rows only for ORDER BY distance ascending with
-- LIMIT, so the threshold is applied after it. Its iterative scan goes on until enough rows pass the filters; where
-- hnsw.max_scan_tuples of them did not yield enough, the rows that pass are compared one by one instead.
-- Without sequential scans, which look cheap because they do not count vectors that are stored apart, and without sorts
-- where nothing narrows the search, the planner is left with the HNSW index, or for a narrow filter with the index on
-- category and brand, whose few rows are compared exactly.
CREATE OR REPLACE FUNCTION find_similar_products(
    query_embedding vector,
    similarity_threshold float8 DEFAULT 0.7,
    max_results int DEFAULT 10,
    category_filter uuid DEFAULT NULL,
    brand_filter uuid DEFAULT NULL,
    min_price float8 DEFAULT NULL,
    max_price float8 DEFAULT NULL,
    require_stock bool DEFAULT true)
RETURNS TABLE (product_id uuid, product_name varchar, similarity_score float8, price float8, stock int,
               category_name varchar, brand_name varchar)
LANGUAGE plpgsql STABLE ROWS 10
SET search_path FROM CURRENT
SET enable_seqscan = off
SET enable_sort = on
AS $$
DECLARE
    -- Only the filters that are given: a test of each for NULL would hide from the planner how many rows pass.
    nearest constant text := 'WITH nearest AS MATERIALIZED (SELECT id, embedding <=> $1 AS distance FROM products'
        ' WHERE active AND embedding IS NOT NULL'
        || CASE WHEN category_filter IS NOT NULL THEN ' AND category_id = $3' ELSE '' END
        || CASE WHEN brand_filter IS NOT NULL THEN ' AND brand_id = $4' ELSE '' END
        || CASE WHEN min_price IS NOT NULL THEN ' AND price >= $5' ELSE '' END
        || CASE WHEN max_price IS NOT NULL THEN ' AND price <= $6' ELSE '' END
        || CASE WHEN require_stock THEN ' AND stock > 0' ELSE '' END
        || ' ORDER BY %s LIMIT $2) SELECT array_agg(id), array_agg(distance) FROM nearest';
    ids uuid[];
    distances float8[];
    scan_before text;
    ef_before text;
    by_index text;  -- the distance that the vector index gives its rows by
    lists int;      -- of an IVFFlat index
BEGIN
    IF query_embedding IS NULL THEN RETURN; END IF;
    IF vector_norm(query_embedding) = 0 THEN
        RAISE EXCEPTION 'query_embedding is a zero vector, which has no direction'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- An index of half precision is on an expression and serves only that.
    SELECT CASE WHEN o.opcname = 'halfvec_cosine_ops'
                THEN format('embedding::halfvec(%1$s) <=> $1::halfvec(%1$s)', a.atttypmod) END,
           CASE WHEN m.amname = 'ivfflat'
                THEN coalesce((SELECT option_value::int FROM pg_catalog.pg_options_to_table(c.reloptions)
                               WHERE option_name = 'lists'), 100) END
    INTO by_index, lists
    FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    JOIN pg_catalog.pg_am m ON m.oid = c.relam
    JOIN pg_catalog.pg_opclass o ON o.oid = i.indclass[0]
    JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attname = 'embedding' AND NOT a.attisdropped
    WHERE i.indrelid = to_regclass('products') AND i.indisvalid AND i.indpred IS NULL
      AND o.opcname IN ('vector_cosine_ops', 'halfvec_cosine_ops')
      AND pg_get_indexdef(i.indexrelid, 1, true) LIKE ANY (ARRAY['embedding', '(embedding::%'])
    ORDER BY c.relname LIMIT 1;
    by_index := coalesce(by_index, 'embedding <=> $1');
    -- Not as SET clauses of the function: those fail in a restore, where the library is not loaded yet.
    scan_before := current_setting('hnsw.iterative_scan');
    ef_before := current_setting('hnsw.ef_search');
    PERFORM set_config('hnsw.iterative_scan', 'relaxed_order', true),
            set_config('hnsw.ef_search', greatest(ef_before::int, least(2 * max_results, 1000))::text, true),
            set_config('enable_sort', (num_nonnulls(category_filter, brand_filter, min_price, max_price) > 0)::text, true);
    IF lists IS NOT NULL THEN
        PERFORM set_config('ivfflat.iterative_scan', 'relaxed_order', true),
                set_config('ivfflat.probes', least(lists, ceil(2 * sqrt(lists)))::text, true);
    END IF;
    EXECUTE format(nearest, by_index) INTO ids, distances
        USING query_embedding, max_results, category_filter, brand_filter, min_price, max_price;
    PERFORM set_config('hnsw.iterative_scan', scan_before, true), set_config('hnsw.ef_search', ef_before, true),
            set_config('enable_sort', 'on', true);
    IF coalesce(cardinality(ids), 0) < max_results THEN
        PERFORM set_config('enable_seqscan', 'on', true);
        EXECUTE format(nearest, '(embedding <=> $1) + 0') INTO ids, distances
            USING query_embedding, max_results, category_filter, brand_filter, min_price, max_price;
    END IF;
    -- Casts, because a catalog that was there before may have other types of text and number.
    RETURN QUERY
        SELECT p.id, p.name::varchar, 1 - n.distance, p.price::float8, p.stock::int, c.name::varchar, b.name::varchar
        FROM unnest(ids, distances) AS n (id, distance)
        JOIN products p ON p.id = n.id
        LEFT JOIN categories c ON c.id = p.category_id
        LEFT JOIN brands b ON b.id = p.brand_id
        WHERE 1 - n.distance >= similarity_threshold
        ORDER BY n.distance, p.id;
END
$$;

-- A change of what the embedding text is made of marks the product: its vector is stale until it is made again.
CREATE OR REPLACE FUNCTION update_embedding_version() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    NEW.embedding_version := coalesce(OLD.embedding_version, 1) + 1;
    NEW.last_embedding_update := NULL;
    RETURN NEW;
END
$$;

-- The condition is the trigger's: changes of price and stock do not even call the function.
CREATE OR REPLACE TRIGGER trigger_update_embedding_version
BEFORE UPDATE ON products FOR EACH ROW
WHEN ((OLD.name, OLD.model, OLD.description, OLD.specs, OLD.technical_specs::jsonb, OLD.features::jsonb,
       OLD.category_id, OLD.brand_id) IS DISTINCT FROM
      (NEW.name, NEW.model, NEW.description, NEW.specs, NEW.technical_specs::jsonb, NEW.features::jsonb,
       NEW.category_id, NEW.brand_id))
EXECUTE FUNCTION update_embedding_version();

-- A renamed category or brand marks its products; TG_ARGV[0] is the column that names it. Of its own, because it
-- outlives the removal of the embedding columns, after which categories and brands are written to as before.
CREATE OR REPLACE FUNCTION decant_mark_products_of_renamed() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    IF (SELECT count(*) FROM pg_catalog.pg_attribute
        WHERE attrelid = to_regclass('products') AND NOT attisdropped
          AND attname IN ('embedding_version', 'last_embedding_update', TG_ARGV[0])) = 3 THEN
        EXECUTE format('UPDATE products SET embedding_version = coalesce(embedding_version, 1) + 1, '
                       'last_embedding_update = NULL WHERE %I = $1', TG_ARGV[0]) USING NEW.id;
    END IF;
    RETURN NULL;
END
$$;

DO $renamed$
DECLARE
    named record;
BEGIN
    FOR named IN SELECT * FROM (VALUES ('categories', 'category_id'), ('brands', 'brand_id')) AS n (relation, key)
                 WHERE to_regclass(relation) IS NOT NULL
    LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER decant_mark_products AFTER UPDATE ON %I FOR EACH ROW '
                       'WHEN ((OLD.name, OLD.display_name) IS DISTINCT FROM (NEW.name, NEW.display_name)) '
                       'EXECUTE FUNCTION decant_mark_products_of_renamed(%L)', named.relation, named.key);
    END LOOP;
END
$renamed$;

-- Of active products. A vector is stale when its product was changed after it was made or, where the setting
-- decant.embedding_model names the model in use, when another model made it.
CREATE MATERIALIZED VIEW IF NOT EXISTS product_embedding_stats AS
SELECT count(*) AS total_products,
       count(embedding) AS products_with_embeddings,
       count(*) - count(embedding) AS missing_embeddings,
       count(*) FILTER (WHERE embedding IS NOT NULL
                        AND (last_embedding_update IS NULL
                             OR embedding_model IS DISTINCT FROM
                                coalesce(nullif(current_setting('decant.embedding_model', true), ''), embedding_model)))
           AS stale_embeddings,
       (avg(extract(epoch FROM timezone('UTC', now()) - last_embedding_update)) / 3600)::float8 AS avg_hours_since_update,
       min(last_embedding_update) AS oldest_embedding_update,
       max(last_embedding_update) AS newest_embedding_update,
       array_agg(DISTINCT embedding_model) FILTER (WHERE embedding_model IS NOT NULL) AS embedding_models_used
FROM products
WHERE active;

-- REFRESH CONCURRENTLY asks for it; the view has one row.
CREATE UNIQUE INDEX IF NOT EXISTS idx_product_embedding_stats ON product_embedding_stats (total_products);

CREATE OR REPLACE FUNCTION refresh_embedding_stats() RETURNS void
LANGUAGE sql
SET search_path FROM CURRENT
AS $$
    REFRESH MATERIALIZED VIEW CONCURRENTLY product_embedding_stats
$$;

-- decant: the indexes. On a table that has rows, decant builds each with CONCURRENTLY, outside the transaction.
CREATE INDEX IF NOT EXISTS idx_products_embedding_update ON products (last_embedding_update)
    WHERE embedding IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_products_stale_embeddings ON products (embedding_version, last_embedding_update)
    WHERE active AND embedding IS NULL;
CREATE INDEX IF NOT EXISTS idx_products_category_brand_stock ON products (category_id, brand_id, stock)
    WHERE active AND embedding IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_products_embedding_hnsw ON products USING hnsw (embedding vector_cosine_ops);

-- IVFFlat instead of HNSW is faster to build and slower to search. Build it after the vectors are loaded, with lists =
-- rows / 1000 up to a million rows, the square root of the rows above:
--   DROP INDEX idx_products_embedding_hnsw;
--   CREATE INDEX idx_products_embedding_ivfflat ON products USING ivfflat (embedding vector_cosine_ops) WITH (lists = 100);
