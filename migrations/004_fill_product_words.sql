-- The words of the products that were there before 003. In a transaction of its own, because 003 locks products for
-- those who write; products that are written meanwhile have their words by the triggers. Safe to run twice.

SELECT decant_refresh_words(array_agg(p.id))
FROM products p
WHERE NOT EXISTS (SELECT FROM decant.product_words w WHERE w.product_id = p.id);

ANALYZE decant.product_words;
