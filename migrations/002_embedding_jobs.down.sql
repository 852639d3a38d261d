-- Takes the queue of products to embed away. Vectors stay.

DROP FUNCTION IF EXISTS decant_enqueue_changed_product() CASCADE;
DROP FUNCTION IF EXISTS decant_enqueue_new_products() CASCADE;
DROP FUNCTION IF EXISTS decant_enqueue_products_of_renamed() CASCADE;
DROP TABLE IF EXISTS decant.embedding_jobs;
DROP TABLE IF EXISTS decant.embedding_batches;
DROP TABLE IF EXISTS decant.embedding_dead_letters;
DROP TABLE IF EXISTS decant.embedding_models;
DROP SEQUENCE IF EXISTS decant.embedding_leases;
