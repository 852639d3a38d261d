-- The queue of products to embed. Triggers on products put into it what is inserted, changed in what its vector is made
-- of, or made active; `decant worker` takes from it. Plain SQL, safe to run twice.

DO $schema$
BEGIN
    -- CREATE SCHEMA IF NOT EXISTS asks for the right to create one also where it exists.
    IF to_regnamespace('decant') IS NULL THEN
        CREATE SCHEMA decant;
    END IF;
END
$schema$;

-- What was asked for at once, by `decant embed` or the HTTP API.
CREATE TABLE IF NOT EXISTS decant.embedding_batches (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    total bigint NOT NULL DEFAULT 0,
    updated bigint NOT NULL DEFAULT 0,
    skipped bigint NOT NULL DEFAULT 0,
    errors bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Rows are only ever inserted by those who write products, so nobody waits for a worker, or a worker for them. A product
-- may stand here twice. Who leases a row may store its product's vector only while the row still holds that lease.
CREATE TABLE IF NOT EXISTS decant.embedding_jobs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    product_id uuid NOT NULL,
    batch_id bigint REFERENCES decant.embedding_batches ON DELETE SET NULL,
    demand text NOT NULL DEFAULT 'stale',  -- or: text, all; what of a vector that is there is made anew
    attempts int NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    not_before timestamptz,                 -- the next attempt; NULL: at once
    lease bigint,
    leased_until timestamptz,
    last_error text
);

CREATE SEQUENCE IF NOT EXISTS decant.embedding_leases;

-- What failed too often; `decant jobs retry` puts it into the queue again.
CREATE TABLE IF NOT EXISTS decant.embedding_dead_letters (
    product_id uuid PRIMARY KEY,
    attempts int NOT NULL,
    error text NOT NULL,
    failed_at timestamptz NOT NULL DEFAULT now()
);

-- The models whose vectors are in the catalog, each with the vector of one fixed text: a model that gives another one
-- has changed under its name.
CREATE TABLE IF NOT EXISTS decant.embedding_models (
    provider text NOT NULL,
    name text NOT NULL,
    fingerprint text NOT NULL,
    canary real[] NOT NULL,
    first_used_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (provider, name)
);

-- These functions run as the owner of the queue, so that who may write products need not know of it, and do nothing
-- where the queue or the column of vectors is gone. They are beside products, so that the catalog can be dumped and
-- restored without the schema decant.
CREATE OR REPLACE FUNCTION decant_enqueue_changed_product() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
AS $$
BEGIN
    IF pg_catalog.to_regclass('decant.embedding_jobs') IS NOT NULL THEN
        INSERT INTO decant.embedding_jobs (product_id)
            SELECT NEW.id WHERE EXISTS (SELECT FROM pg_catalog.pg_attribute
                                        WHERE attrelid OPERATOR(pg_catalog.=) TG_RELID
                                          AND attname OPERATOR(pg_catalog.=) 'embedding' AND NOT attisdropped);
        PERFORM pg_catalog.pg_notify('decant_embedding_jobs', '');
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION decant_enqueue_new_products() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
    queued bigint;
BEGIN
    IF pg_catalog.to_regclass('decant.embedding_jobs') IS NOT NULL
       AND EXISTS (SELECT FROM pg_catalog.pg_attribute
                   WHERE attrelid OPERATOR(pg_catalog.=) TG_RELID AND attname OPERATOR(pg_catalog.=) 'embedding'
                     AND NOT attisdropped) THEN
        EXECUTE 'INSERT INTO decant.embedding_jobs (product_id) SELECT id FROM new_products '
                'WHERE active AND embedding IS NULL';
        GET DIAGNOSTICS queued = ROW_COUNT;  -- EXECUTE leaves FOUND as it was
        IF queued OPERATOR(pg_catalog.>) 0 THEN PERFORM pg_catalog.pg_notify('decant_embedding_jobs', ''); END IF;
    END IF;
    RETURN NULL;
END
$$;

-- The products of a renamed category or brand, which decant_mark_products marks; TG_ARGV[0] is the column that names it.
CREATE OR REPLACE FUNCTION decant_enqueue_products_of_renamed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
BEGIN
    IF to_regclass('decant.embedding_jobs') IS NOT NULL
       AND (SELECT count(*) FROM pg_catalog.pg_attribute
            WHERE attrelid = to_regclass('products') AND NOT attisdropped
              AND attname IN ('embedding', 'active', TG_ARGV[0])) = 3 THEN
        EXECUTE format('INSERT INTO decant.embedding_jobs (product_id) SELECT id FROM products WHERE active AND %I = $1',
                       TG_ARGV[0]) USING NEW.id;
        PERFORM pg_notify('decant_embedding_jobs', '');
    END IF;
    RETURN NULL;
END
$$;

-- The list of columns keeps an UPDATE of price or stock from even asking.
CREATE OR REPLACE TRIGGER decant_enqueue_changed
AFTER UPDATE OF name, model, description, specs, technical_specs, features, category_id, brand_id, active ON products
FOR EACH ROW
WHEN (NEW.active AND (OLD.name, OLD.model, OLD.description, OLD.specs, OLD.technical_specs::jsonb, OLD.features::jsonb,
                      OLD.category_id, OLD.brand_id, true) IS DISTINCT FROM
                     (NEW.name, NEW.model, NEW.description, NEW.specs, NEW.technical_specs::jsonb, NEW.features::jsonb,
                      NEW.category_id, NEW.brand_id, OLD.active))
EXECUTE FUNCTION decant_enqueue_changed_product();

CREATE OR REPLACE TRIGGER decant_enqueue_new
AFTER INSERT ON products REFERENCING NEW TABLE AS new_products FOR EACH STATEMENT
EXECUTE FUNCTION decant_enqueue_new_products();

DO $renamed$
DECLARE
    named record;
BEGIN
    FOR named IN SELECT * FROM (VALUES ('categories', 'category_id'), ('brands', 'brand_id')) AS n (relation, key)
                 WHERE to_regclass(relation) IS NOT NULL
    LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER decant_enqueue_renamed AFTER UPDATE ON %I FOR EACH ROW '
                       'WHEN ((OLD.name, OLD.display_name) IS DISTINCT FROM (NEW.name, NEW.display_name)) '
                       'EXECUTE FUNCTION decant_enqueue_products_of_renamed(%L)', named.relation, named.key);
    END LOOP;
END
$renamed$;
