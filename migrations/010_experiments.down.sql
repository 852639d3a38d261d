-- Takes away experiments and what was measured of the index. Searches and feedback that were part of one stay.

DROP TABLE IF EXISTS decant.experiments;
DROP TABLE IF EXISTS decant.quality_probes;
DROP INDEX IF EXISTS decant.idx_search_events_experiment;
ALTER TABLE IF EXISTS decant.search_events
    DROP COLUMN IF EXISTS experiment, DROP COLUMN IF EXISTS arm, DROP COLUMN IF EXISTS unit,
    DROP COLUMN IF EXISTS teams, DROP COLUMN IF EXISTS overlap;
DO $feedback$
BEGIN
    IF to_regclass('decant.feedback') IS NOT NULL THEN
        DELETE FROM decant.feedback WHERE score IS NULL;  -- choices of which nothing was said
        ALTER TABLE decant.feedback ALTER COLUMN score SET NOT NULL, DROP COLUMN IF EXISTS product_id;
    END IF;
END
$feedback$;
