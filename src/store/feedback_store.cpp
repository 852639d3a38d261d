#include "store/feedback_store.hpp"

#include <fmt/format.h>

namespace decant::store {
namespace {

// lower(): experiments look the product up among ids as PostgreSQL writes them. xmax is 0 in a row that was inserted,
// and the locking transaction in one that was updated.
constexpr std::string_view store_sql = R"sql(
INSERT INTO decant.feedback AS f (subject, subject_id, caller, score, comment, product_id)
VALUES ($1, $2, $3, $4::float8, $5, lower($6))
ON CONFLICT (subject, subject_id, caller) DO UPDATE
SET score = coalesce(excluded.score, f.score),
    comment = CASE WHEN excluded.score IS NULL THEN f.comment ELSE excluded.comment END,
    product_id = coalesce(excluded.product_id, f.product_id),
    created_at = CASE WHEN excluded.score IS NULL THEN f.created_at ELSE pg_catalog.now() END
RETURNING f.id, f.xmax = 0)sql";

}  // namespace

StoredFeedback store_feedback(pg::Connection& db, const Feedback& feedback) {
    const pg::Param score = feedback.score ? pg::Param{fmt::format("{}", *feedback.score)} : std::nullopt;
    const pg::Result row =
        db.query(store_sql, {std::string{feedback_subject_names[feedback.subject]}, feedback.subject_id,
                             feedback.caller, score, feedback.comment, feedback.product});
    return {.id = row.integer(0, 0), .is_new = row.boolean(0, 1)};
}

}  // namespace decant::store
