// A new index is held against the exact scan while searches may be waiting for the answer.

#include "operate/index_proof.hpp"

#include <gmock/gmock.h>

#include "core/error.hpp"
#include "tests/support/schema_case.hpp"

namespace decant::test {
namespace {

using namespace std::chrono_literals;

class IndexProof : public testing::Test {
protected:
    IndexProof() { with_.put_products(200); }

    /// By a clock that goes on by `step` whenever it is looked at.
    operate::IndexProof::Outcome ask(std::chrono::milliseconds step) {
        const operate::IndexProof proof{db_, *store::find_pgvector(db_), [] { return true; }};
        pg::Transaction tx{db_, "BEGIN READ ONLY"};
        std::chrono::steady_clock::time_point time{};
        return proof.ask(db_, store::find_searched_index(db_), "idx_products_embedding_hnsw",
                         {.now = [&time, step] { return time += step; }});
    }

    SchemaCase with_;
    pg::Connection db_ = with_.open();
};

TEST_F(IndexProof, AsksForEveryDrawnVectorWhereThereIsTime) {
    const auto outcome = ask(1ms);
    EXPECT_EQ(outcome.asked, 100U);
    EXPECT_TRUE(outcome.is_used);
    EXPECT_GE(outcome.recall, 0.95);
}

TEST_F(IndexProof, JudgesAfterTwoSecondsByWhatWasAskedUntilThen) {
    const auto outcome = ask(100ms);
    EXPECT_EQ(outcome.asked, 19U);
    EXPECT_TRUE(outcome.is_used);
    EXPECT_GE(outcome.recall, 0.95) << "what was not asked counts as not found";
}

TEST_F(IndexProof, RefusesToJudgeByFewerThanTen) {
    try {
        ask(250ms);
        FAIL() << "it judged";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::overloaded);
        EXPECT_THAT(error.happened(), testing::HasSubstr("answered 7 searches in 2 s"));
    }
}

}  // namespace
}  // namespace decant::test
