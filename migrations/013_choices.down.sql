-- Takes away all choices but the last of each caller and answer, which decant.feedback has.

DROP TABLE IF EXISTS decant.choices;
ALTER TABLE IF EXISTS decant.search_events DROP COLUMN IF EXISTS message_id;
