// Requests that may come twice, and feedback.

#include "store/idempotency.hpp"

#include "core/error.hpp"
#include "store/feedback_store.hpp"
#include "store/job_queue.hpp"
#include "tests/support/embedding_case.hpp"

namespace decant::test {
namespace {

using store::answer_once;
using store::Feedback;
using store::KeptAnswer;
using testing::HasSubstr;

class RepeatedRequests : public testing::Test {
protected:
    KeptAnswer ask(const std::string& content, const std::string& caller = "key one", const std::string& key = "k-1") {
        return answer_once(db_, {.caller = caller, .key = key, .content = content}, [&] {
            return KeptAnswer{.status = 202, .body = "{\"done\":" + std::to_string(++done_) + "}"};
        });
    }
    ErrorCode refusal(const std::string& content) {
        try {
            ask(content);
        } catch (const Error& error) {
            return error.code();
        }
        return ErrorCode::internal;
    }

    EmbeddingCase with_;
    pg::Connection db_ = with_.open();
    int done_ = 0;
};

TEST_F(RepeatedRequests, AreDoneOnceAndAnsweredTheSame) {
    const KeptAnswer first = ask("POST /x {}");
    EXPECT_FALSE(first.is_repeated);
    const KeptAnswer again = ask("POST /x {}");
    EXPECT_TRUE(again.is_repeated);
    EXPECT_EQ(again.status, 202);
    EXPECT_EQ(again.body, first.body);
    EXPECT_EQ(done_, 1);
}

TEST_F(RepeatedRequests, WithAnotherContentAreRefused) {
    ask("POST /x {}");
    EXPECT_EQ(refusal("POST /x {\"force\":true}"), ErrorCode::request_invalid);
    EXPECT_EQ(done_, 1);
}

TEST_F(RepeatedRequests, OfOtherCallersAndKeysAreOthers) {
    ask("POST /x {}");
    EXPECT_FALSE(ask("POST /y {}", "key two").is_repeated);
    EXPECT_FALSE(ask("POST /y {}", "key one", "k-2").is_repeated);
    EXPECT_EQ(done_, 3);
}

TEST_F(RepeatedRequests, AreAConflictWhileTheFirstIsAtWork) {
    pg::Connection other = with_.open();
    answer_once(other, {.caller = "key one", .key = "k-1", .content = "POST /x {}"}, [&] {
        EXPECT_EQ(refusal("POST /x {}"), ErrorCode::conflict);
        return KeptAnswer{.status = 202, .body = "{\"done\":\"first\"}"};
    });
    EXPECT_EQ(ask("POST /x {}").body, "{\"done\":\"first\"}");
    EXPECT_EQ(done_, 0);
}

TEST_F(RepeatedRequests, MayComeAgainWhenTheyFailed) {
    const auto fail = [&] {
        answer_once(db_, {.caller = "key one", .key = "k-1", .content = "POST /x {}"}, [&]() -> KeptAnswer {
            store::JobQueue{db_}.enqueue({.kind = store::ProductSelection::Kind::all});
            throw Error{ErrorCode::embedder_unavailable, "away", "-"};
        });
    };
    EXPECT_THROW(fail(), Error);
    EXPECT_EQ(with_.value("SELECT count(*) FROM decant.embedding_batches"), "0") << "nothing of it stays";
    EXPECT_FALSE(ask("POST /x {}").is_repeated);
}

TEST_F(RepeatedRequests, PutOneBatchIntoTheQueue) {
    with_.put(1, 3);
    with_.empty_queue();
    for (int times = 0; times < 3; ++times) {
        answer_once(db_, {.caller = "key one", .key = "k-1", .content = "POST /x {}"}, [&] {
            const auto batch = store::JobQueue{db_}.enqueue({.kind = store::ProductSelection::Kind::all});
            return KeptAnswer{.status = 202, .body = std::to_string(batch.id)};
        });
    }
    EXPECT_EQ(with_.jobs(), "3");
}

TEST_F(RepeatedRequests, AreForgottenAfterADay) {
    ask("POST /x {}");
    with_.exec("UPDATE decant.idempotency_keys SET created_at = now() - interval '25 hours'");
    EXPECT_FALSE(ask("POST /y {}").is_repeated) << "also where it was not pruned yet";
    with_.exec("UPDATE decant.idempotency_keys SET created_at = now() - interval '25 hours'");
    ask("POST /x {}", "key two");
    EXPECT_EQ(store::prune_idempotency_keys(db_), 1U);
    EXPECT_TRUE(ask("POST /x {}", "key two").is_repeated);
}

TEST(FeedbackStore, KeepsOneOpinionACallerAndAnswer) {
    const EmbeddingCase with;
    pg::Connection db = with.open();
    Feedback feedback{.subject = Feedback::Subject::run, .subject_id = "r-1", .caller = "ana", .score = 0};
    const store::StoredFeedback first = store_feedback(db, feedback);
    EXPECT_TRUE(first.is_new);
    feedback.score = 0.25;
    feedback.comment = "no es lo que pedí";
    const store::StoredFeedback second = store_feedback(db, feedback);
    EXPECT_FALSE(second.is_new);
    EXPECT_EQ(second.id, first.id);
    feedback.caller = "luis";
    EXPECT_TRUE(store_feedback(db, feedback).is_new);
    feedback.subject = Feedback::Subject::message;
    EXPECT_TRUE(store_feedback(db, feedback).is_new);
    EXPECT_EQ(with.value("SELECT string_agg(concat_ws(' ', subject, subject_id, caller, score, comment), ', ' ORDER BY "
                         "id) FROM decant.feedback WHERE caller = 'ana'"),
              "run r-1 ana 0.25 no es lo que pedí");
}

TEST(FeedbackStore, HasASecondOpinionNeverOlderThanTheExportOfTheFirst) {
    const EmbeddingCase with;
    pg::Connection db = with.open();
    store::store_feedback(db, {.subject_id = "r-1", .caller = "ana", .score = 1});
    db.exec("BEGIN");
    with.exec("UPDATE decant.feedback SET exported_at = now()");
    store::store_feedback(db, {.subject_id = "r-1", .caller = "ana", .score = 0});
    db.exec("COMMIT");
    EXPECT_EQ(with.value("SELECT exported_at < created_at FROM decant.feedback"), "t") << "or nobody is told of it";
}

}  // namespace
}  // namespace decant::test
