-- The words go with 003; this only has them made again.

DO $words$
BEGIN
    IF to_regclass('decant.product_words') IS NOT NULL THEN
        DELETE FROM decant.product_words;
    END IF;
END
$words$;
