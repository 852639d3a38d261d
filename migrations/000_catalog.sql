-- The product catalog: what is missing of it. A table that is there keeps its columns, rows, indexes and storage
-- settings; it only gains the columns that the embedding text is made of, where it lacks them.
-- Plain SQL, safe to run twice: psql -f 000_catalog.sql

DO $catalog$
DECLARE
    made_here constant text := 'Made by decant, 000_catalog';
    elsewhere text;
    lacking record;
BEGIN
    IF to_regclass('products') IS NULL THEN
        CREATE EXTENSION IF NOT EXISTS pg_trgm;
    END IF;
    -- On managed servers the extension may live in a schema that is not searched.
    SELECT quote_ident(n.nspname) INTO elsewhere FROM pg_catalog.pg_extension e
        JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
        WHERE e.extname = 'pg_trgm' AND n.nspname <> ALL (current_schemas(true));
    IF FOUND THEN
        PERFORM set_config('search_path', concat_ws(', ', nullif(current_setting('search_path'), ''), elsewhere), false);
    END IF;

    IF to_regclass('categories') IS NULL THEN
        CREATE TABLE categories (
            id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            name varchar(100) NOT NULL UNIQUE,
            display_name varchar(200) NOT NULL,
            description text,
            active bool NOT NULL DEFAULT true,
            sort_order int NOT NULL DEFAULT 0,
            external_id varchar(100),
            meta_data jsonb,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE INDEX idx_categories_external_id ON categories (external_id);
        EXECUTE format('COMMENT ON TABLE categories IS %L', made_here);
    END IF;

    IF to_regclass('subcategories') IS NULL THEN
        CREATE TABLE subcategories (
            id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            name varchar(100) NOT NULL,
            display_name varchar(200) NOT NULL,
            description text,
            category_id uuid NOT NULL REFERENCES categories (id),
            active bool NOT NULL DEFAULT true
        );
        CREATE INDEX idx_subcategories_category_id ON subcategories (category_id);
        EXECUTE format('COMMENT ON TABLE subcategories IS %L', made_here);
    END IF;

    IF to_regclass('brands') IS NULL THEN
        CREATE TABLE brands (
            id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            name varchar(100) NOT NULL UNIQUE,
            display_name varchar(200),
            reputation text,
            specialty text,
            warranty_years int,
            description text,
            active bool NOT NULL DEFAULT true,
            external_code varchar(100),
            meta_data jsonb
        );
        CREATE INDEX idx_brands_name_trgm ON brands USING gin (name gin_trgm_ops);
        EXECUTE format('COMMENT ON TABLE brands IS %L', made_here);
    END IF;

    IF to_regclass('products') IS NULL THEN
        CREATE TABLE products (
            id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            name varchar(255) NOT NULL,
            model varchar(100),
            specs text NOT NULL,
            description text,
            short_description varchar(500),
            price float8 NOT NULL CHECK (price >= 0),
            original_price float8,
            cost_price numeric(10, 2),
            stock int NOT NULL DEFAULT 0 CHECK (stock >= 0),
            min_stock int DEFAULT 5,
            sku varchar(50) UNIQUE,
            cost float8,
            tax_percentage float8,
            external_code varchar(100),
            image_url varchar(1000),
            barcode varchar(100),
            category_id uuid NOT NULL REFERENCES categories (id),
            subcategory_id uuid REFERENCES subcategories (id),
            brand_id uuid REFERENCES brands (id),
            technical_specs jsonb,
            features jsonb,
            images jsonb,
            dimensions jsonb,
            meta_data jsonb,
            active bool NOT NULL DEFAULT true,
            featured bool NOT NULL DEFAULT false,
            on_sale bool NOT NULL DEFAULT false,
            weight float8,
            search_vector tsvector,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now()
        ) WITH (fillfactor = 80);  -- room in the page: a new price is a HOT update, which touches no index
        CREATE INDEX idx_products_category_id ON products (category_id);
        CREATE INDEX idx_products_brand_id ON products (brand_id);
        CREATE INDEX idx_products_search_vector ON products USING gin (search_vector);
        CREATE INDEX idx_products_name_trgm ON products USING gin (name gin_trgm_ops);
        CREATE INDEX idx_products_description_trgm ON products USING gin (description gin_trgm_ops);
        EXECUTE format('COMMENT ON TABLE products IS %L', made_here);
    END IF;

    FOR lacking IN
        SELECT wanted.name, wanted.type
        FROM (VALUES ('model', 'varchar(100)'), ('description', 'text'), ('specs', 'text'),
                     ('technical_specs', 'jsonb'), ('features', 'jsonb'), ('category_id', 'uuid'),
                     ('brand_id', 'uuid')) AS wanted (name, type)
        WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_attribute
                          WHERE attrelid = to_regclass('products') AND attname = wanted.name AND NOT attisdropped)
    LOOP
        EXECUTE format('ALTER TABLE products ADD COLUMN %I %s', lacking.name, lacking.type);
    END LOOP;
END
$catalog$;
