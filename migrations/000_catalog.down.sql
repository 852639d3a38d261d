-- Removes the catalog's tables that 000_catalog made and that hold no row; every other one stays, and is named.
-- The extension pg_trgm stays: other indexes may use it.

DO $catalog$
DECLARE
    candidate text;
    has_rows bool;
BEGIN
    FOREACH candidate IN ARRAY ARRAY['products', 'brands', 'subcategories', 'categories'] LOOP
        CONTINUE WHEN to_regclass(candidate) IS NULL;
        EXECUTE format('SELECT EXISTS (SELECT FROM %I)', candidate) INTO has_rows;
        IF has_rows OR obj_description(to_regclass(candidate), 'pg_class') IS DISTINCT FROM 'Made by decant, 000_catalog'
        THEN
            RAISE NOTICE 'table % stays: it %', candidate, CASE WHEN has_rows THEN 'holds rows' ELSE 'was there before' END;
        ELSE
            EXECUTE format('DROP TABLE %I', candidate);
        END IF;
    END LOOP;
END
$catalog$;
