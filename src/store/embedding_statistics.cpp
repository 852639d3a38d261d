#include "store/embedding_statistics.hpp"

#include <fmt/format.h>

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

constexpr std::string_view by_model_sql = R"sql(
SELECT embedding_model, count(*), to_char(min(last_embedding_update), 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
       to_char(max(last_embedding_update), 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
FROM products WHERE active AND embedding IS NOT NULL
GROUP BY embedding_model ORDER BY 2 DESC, 1)sql";

constexpr std::string_view stale_sql = R"sql(
SELECT id, name, to_char(last_embedding_update, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
       extract(epoch FROM pg_catalog.timezone('UTC', pg_catalog.now()) - last_embedding_update) / 86400,
       count(*) OVER ()
FROM products
WHERE active AND embedding IS NOT NULL
  AND (last_embedding_update IS NULL OR embedding_model IS DISTINCT FROM $1
       OR last_embedding_update < pg_catalog.timezone('UTC', pg_catalog.now()) - pg_catalog.make_interval(days => $2::int))
ORDER BY last_embedding_update NULLS FIRST, id LIMIT $3::bigint)sql";

constexpr std::string_view missing_sql = R"sql(
SELECT id, name, count(*) OVER () FROM products WHERE active AND embedding IS NULL ORDER BY name, id LIMIT $1::bigint)sql";

/// {0} the table of the groups, {1} the column of products that names one.
constexpr std::string_view grouped_sql = R"sql(
SELECT coalesce(nullif(max(g.display_name), ''), max(g.name)), count(*), count(p.embedding),
       count(*) FILTER (WHERE p.embedding IS NOT NULL
                        AND (p.last_embedding_update IS NULL OR p.embedding_model IS DISTINCT FROM $1)),
       count(*) OVER ()
FROM products p LEFT JOIN {0} g ON g.id = p.{1}
WHERE p.active GROUP BY p.{1}
ORDER BY count(*) - count(p.embedding) DESC, count(*) DESC, 1 NULLS LAST LIMIT $2::bigint)sql";

constexpr std::string_view is_filled_sql =
    "SELECT relispopulated FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass('product_embedding_stats') "
    "AND relkind = 'm'";
constexpr std::string_view view_sql = R"sql(
SELECT total_products, products_with_embeddings, missing_embeddings, stale_embeddings, avg_hours_since_update,
       to_char(oldest_embedding_update, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
       to_char(newest_embedding_update, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
FROM product_embedding_stats)sql";
constexpr std::string_view view_models_sql = "SELECT unnest(embedding_models_used) FROM product_embedding_stats";

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

std::vector<ModelEmbeddings> read_embeddings_by_model(pg::Connection& db) {
    const pg::Result rows = db.exec(by_model_sql);
    std::vector<ModelEmbeddings> models;
    for (int row = 0; row < rows.rows(); ++row) {
        models.push_back({.model = rows.optional_text(row, 0),
                          .products = static_cast<std::uint64_t>(rows.integer(row, 1)),
                          .oldest = rows.optional_text(row, 2),
                          .newest = rows.optional_text(row, 3)});
    }
    return models;
}

StaleEmbeddings read_stale_embeddings(pg::Connection& db, const StaleQuery& query) {
    const pg::Result rows =
        db.query(stale_sql, {query.model, query.days ? std::optional{std::to_string(*query.days)} : std::nullopt,
                             std::to_string(query.limit)});
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

MissingEmbeddings read_missing_embeddings(pg::Connection& db, std::uint64_t limit) {
    const pg::Result rows = db.query(missing_sql, {std::to_string(limit)});
    MissingEmbeddings missing;
    for (int row = 0; row < rows.rows(); ++row) {
        missing.rows.push_back({.id = std::string{rows.text(row, 0)}, .name = std::string{rows.text(row, 1)}});
        missing.total = static_cast<std::uint64_t>(rows.integer(row, 2));
    }
    return missing;
}

GroupedCoverage read_grouped_coverage(pg::Connection& db, const GroupQuery& query) {
    const bool is_category = query.by == Grouping::category;
    const pg::Result rows = db.query(
        fmt::format(grouped_sql, is_category ? "categories" : "brands", is_category ? "category_id" : "brand_id"),
        {query.model, std::to_string(query.limit)});
    GroupedCoverage groups;
    for (int row = 0; row < rows.rows(); ++row) {
        groups.rows.push_back({.name = rows.optional_text(row, 0),
                               .products = static_cast<std::uint64_t>(rows.integer(row, 1)),
                               .with_embedding = static_cast<std::uint64_t>(rows.integer(row, 2)),
                               .stale = static_cast<std::uint64_t>(rows.integer(row, 3))});
        groups.total = static_cast<std::uint64_t>(rows.integer(row, 4));
    }
    return groups;
}

std::optional<StatisticsView> read_statistics_view(pg::Connection& db) {
    const pg::Result filled = db.exec(is_filled_sql);
    if (filled.empty() || !filled.boolean(0, 0)) return std::nullopt;
    const pg::Result row = db.exec(view_sql);
    if (row.empty()) return std::nullopt;
    StatisticsView view{.products = static_cast<std::uint64_t>(row.integer(0, 0)),
                        .with_embedding = static_cast<std::uint64_t>(row.integer(0, 1)),
                        .missing = static_cast<std::uint64_t>(row.integer(0, 2)),
                        .stale = static_cast<std::uint64_t>(row.integer(0, 3)),
                        .oldest = row.optional_text(0, 5),
                        .newest = row.optional_text(0, 6)};
    if (!row.is_null(0, 4)) view.average_hours = row.real(0, 4);
    const pg::Result models = db.exec(view_models_sql);
    for (int i = 0; i < models.rows(); ++i)
        view.models.emplace_back(models.text(i, 0));
    return view;
}

void refresh_statistics_view(pg::Connection& db, const std::string& model) {
    pg::Transaction tx{db};
    db.query("SELECT pg_catalog.set_config('decant.embedding_model', $1, true)", {model});
    db.exec("SELECT refresh_embedding_stats()");
    tx.commit();
}

}  // namespace decant::store
