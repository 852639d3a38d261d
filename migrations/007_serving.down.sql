-- Takes away what the server remembered of its own work. Batches of embeddings that are under way stay in the queue.

DROP TABLE IF EXISTS decant.search_events;
DROP TABLE IF EXISTS decant.feedback;
DROP TABLE IF EXISTS decant.idempotency_keys;
DROP INDEX IF EXISTS decant.idx_embedding_jobs_batch;
ALTER TABLE IF EXISTS decant.embedding_batches
    DROP COLUMN IF EXISTS batch_size, DROP COLUMN IF EXISTS started_at, DROP COLUMN IF EXISTS finished_at;
