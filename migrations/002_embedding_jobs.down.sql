-- Takes the queue of products to embed away. Vectors stay.

DROP TRIGGER IF EXISTS decant_enqueue_changed ON products;
DROP TRIGGER IF EXISTS decant_enqueue_new ON products;
DROP FUNCTION IF EXISTS decant.enqueue_changed_product();
DROP FUNCTION IF EXISTS decant.enqueue_new_products();
DROP FUNCTION IF EXISTS decant.enqueue_products_of_renamed() CASCADE;
DROP TABLE IF EXISTS decant.embedding_jobs;
DROP TABLE IF EXISTS decant.embedding_batches;
DROP TABLE IF EXISTS decant.embedding_dead_letters;
DROP TABLE IF EXISTS decant.embedding_models;
DROP SEQUENCE IF EXISTS decant.embedding_leases;
