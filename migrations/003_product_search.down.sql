-- Takes the search by words away, with the synonyms.

DROP FUNCTION IF EXISTS decant_words_of_product() CASCADE;
DROP FUNCTION IF EXISTS decant_words_of_removed() CASCADE;
DROP FUNCTION IF EXISTS decant_words_of_renamed() CASCADE;
DROP FUNCTION IF EXISTS decant_refresh_words(uuid[]);
DROP TABLE IF EXISTS decant.product_words;
DROP TABLE IF EXISTS decant.synonyms;
