-- The words of the products that were there before 003. In a transaction of its own, because 003 locks products for
-- those who write; products that are written meanwhile have their words by the triggers. Safe to run twice.

DO $words$
DECLARE
    ids uuid[];
    last uuid := '00000000-0000-0000-0000-000000000000';
BEGIN
    LOOP
        SELECT array_agg(id) INTO ids FROM (SELECT id FROM products WHERE id > last ORDER BY id LIMIT 1000) page;
        EXIT WHEN ids IS NULL;
        last := ids[cardinality(ids)];
        -- What a trigger has made meanwhile is newer.
        PERFORM decant_refresh_product_words(ids, only_new => true);
    END LOOP;
END
$words$;

SELECT gin_clean_pending_list('decant.idx_product_words');
ANALYZE decant.product_words;
