#include "store/feedback_store.hpp"

#include <fmt/format.h>

namespace decant::store {
namespace {

// lower(): experiments look the product up among ids as PostgreSQL writes them. xmax is 0 in a row that was inserted,
// and the locking transaction in one that was updated. What is said anew gets the time at which the row is its own, not
// that of the statement's begin: what was said before may be marked as exported in between, and hides nothing later.
constexpr std::string_view store_sql = R"sql(
WITH choice AS (INSERT INTO decant.choices (subject, subject_id, caller, product_id)
                SELECT $1, $2, $3, lower($6) WHERE $6::text IS NOT NULL ON CONFLICT DO NOTHING)
INSERT INTO decant.feedback AS f (subject, subject_id, caller, score, comment, product_id)
VALUES ($1, $2, $3, $4::float8, $5, lower($6))
ON CONFLICT (subject, subject_id, caller) DO UPDATE
SET score = coalesce(excluded.score, f.score),
    comment = CASE WHEN excluded.score IS NULL THEN f.comment ELSE excluded.comment END,
    product_id = coalesce(excluded.product_id, f.product_id),
    created_at = CASE WHEN excluded.score IS NULL THEN f.created_at ELSE pg_catalog.clock_timestamp() END
RETURNING f.id, f.xmax = 0)sql";

// A report counts what came since its experiment began.
constexpr std::string_view prune_sql = R"sql(
WITH kept AS (SELECT least(pg_catalog.now() - pg_catalog.make_interval(days => $1::int), min(started_at)) AS since
              FROM decant.experiments WHERE stopped_at IS NULL),
choices AS (DELETE FROM decant.choices USING kept WHERE created_at < kept.since)
DELETE FROM decant.feedback USING kept WHERE created_at < kept.since)sql";

}  // namespace

StoredFeedback store_feedback(pg::Connection& db, const Feedback& feedback) {
    const pg::Param score = feedback.score ? pg::Param{fmt::format("{}", *feedback.score)} : std::nullopt;
    const pg::Result row =
        db.query(store_sql, {std::string{feedback_subject_names[feedback.subject]}, feedback.subject_id,
                             feedback.caller, score, feedback.comment, feedback.product});
    return {.id = row.integer(0, 0), .is_new = row.boolean(0, 1)};
}

std::uint64_t prune_feedback(pg::Connection& db, int days) {
    return db.query(prune_sql, {std::to_string(days)}).affected();
}

}  // namespace decant::store
