#include "store/embedding_statistics.hpp"

namespace decant::store {
namespace {

constexpr std::string_view statistics_sql = R"sql(
SELECT count(*), count(*) FILTER (WHERE embedding IS NOT NULL),
       count(*) FILTER (WHERE embedding IS NOT NULL
                        AND (last_embedding_update IS NULL OR embedding_model IS DISTINCT FROM $1)),
       to_char(max(last_embedding_update) FILTER (WHERE embedding IS NOT NULL), 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
       extract(epoch FROM avg(pg_catalog.timezone('UTC', pg_catalog.now()) - last_embedding_update)
                              FILTER (WHERE embedding IS NOT NULL)) / 86400
FROM products WHERE active)sql";

constexpr std::string_view stale_sql = R"sql(
SELECT id, name, to_char(last_embedding_update, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
       extract(epoch FROM pg_catalog.timezone('UTC', pg_catalog.now()) - last_embedding_update) / 86400,
       count(*) OVER ()
FROM products
WHERE active AND embedding IS NOT NULL
  AND (last_embedding_update IS NULL OR embedding_model IS DISTINCT FROM $1
       OR last_embedding_update < pg_catalog.timezone('UTC', pg_catalog.now()) - pg_catalog.make_interval(days => $2::int))
ORDER BY last_embedding_update NULLS FIRST, id LIMIT $3::bigint)sql";

}  // namespace

EmbeddingStatistics read_embedding_statistics(pg::Connection& db, const std::string& model) {
    const pg::Result row = db.query(statistics_sql, {model});
    EmbeddingStatistics statistics{.products = static_cast<std::uint64_t>(row.integer(0, 0)),
                                   .with_embedding = static_cast<std::uint64_t>(row.integer(0, 1)),
                                   .stale = static_cast<std::uint64_t>(row.integer(0, 2)),
                                   .last_update = row.optional_text(0, 3)};
    if (!row.is_null(0, 4)) statistics.average_age_days = row.real(0, 4);
    return statistics;
}

StaleEmbeddings read_stale_embeddings(pg::Connection& db, const StaleQuery& query) {
    const pg::Result rows = db.query(stale_sql, {query.model, std::to_string(query.days), std::to_string(query.limit)});
    StaleEmbeddings stale;
    for (int row = 0; row < rows.rows(); ++row) {
        StaleEmbedding one{.product_id = std::string{rows.text(row, 0)},
                           .name = std::string{rows.text(row, 1)},
                           .last_update = rows.optional_text(row, 2),
                           .days = {}};
        if (!rows.is_null(row, 3)) one.days = rows.real(row, 3);
        stale.total = static_cast<std::uint64_t>(rows.integer(row, 4));
        stale.rows.push_back(std::move(one));
    }
    return stale;
}

}  // namespace decant::store
