-- Takes the search by words away, with the synonyms.

DROP FUNCTION IF EXISTS decant_words_of_changed() CASCADE;
DROP FUNCTION IF EXISTS decant_words_of_new() CASCADE;
DROP FUNCTION IF EXISTS decant_words_of_removed() CASCADE;
DROP FUNCTION IF EXISTS decant_words_of_renamed() CASCADE;
DROP FUNCTION IF EXISTS decant_refresh_product_words(uuid[], bool);
DROP FUNCTION IF EXISTS decant_keeps_words();
DROP TABLE IF EXISTS decant.product_words;
DROP TABLE IF EXISTS decant.synonyms;
