#include "store/feedback_store.hpp"

#include <fmt/format.h>

namespace decant::store {
namespace {

// xmax is 0 in a row that was inserted, and the locking transaction in one that was updated.
constexpr std::string_view store_sql = R"sql(
INSERT INTO decant.feedback AS f (subject, subject_id, caller, score, comment)
VALUES ($1, $2, $3, $4::float8, $5)
ON CONFLICT (subject, subject_id, caller) DO UPDATE
SET score = excluded.score, comment = excluded.comment, created_at = pg_catalog.now()
RETURNING f.id, f.xmax = 0)sql";

}  // namespace

StoredFeedback store_feedback(pg::Connection& db, const Feedback& feedback) {
    const pg::Result row =
        db.query(store_sql, {std::string{feedback_subject_names[feedback.subject]}, feedback.subject_id,
                             feedback.caller, fmt::format("{}", feedback.score), feedback.comment});
    return {.id = row.integer(0, 0), .is_new = row.boolean(0, 1)};
}

}  // namespace decant::store
