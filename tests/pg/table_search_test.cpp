#include "search/table_search.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/error.hpp"
#include "tests/support/copy_case.hpp"

namespace decant::search {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::uint64_t records = 3'000;

std::vector<Where> where(std::string_view json) {
    return {parse_where(json)};
}

/// 3,000 copied records with metadata added that selects 1/2 to 1/1000 of them.
class TableSearch : public testing::Test {
protected:
    static void SetUpTestSuite() {
        with_ = new test::CopyCase({.dimension = 32, .space = "l2"});
        with_->source().put_samples(0, records);
        ASSERT_EQ(with_->copy({"--to", "items"}).exit_code, 0);
        ASSERT_EQ(with_->copy({"--to", "plain", "--index", "none"}).exit_code, 0);
        ASSERT_EQ(with_->copy({"--to", "halves", "--type", "halfvec"}).exit_code, 0);
        for (const char* table : {"items", "plain", "halves"}) {
            with_->exec(
                fmt::format("UPDATE {0} t SET metadata = metadata || jsonb_build_object('half', n % 2, 'rare', n % "
                            "1000, 'half_real', n % 2 + 0.5) FROM (SELECT id, row_number() OVER () AS n FROM {0}) r "
                            "WHERE r.id = t.id",
                            table));
            // Else the GIN index holds the changes in a list that makes it look dear.
            with_->exec(fmt::format("VACUUM ANALYZE {}", table));
        }
    }
    static void TearDownTestSuite() { delete with_; }

    CopiedTable table(const std::string& name = "items") {
        return read_copied_table(db_, "public", name, catalog::Space::l2);
    }

    TableAnswer find(std::vector<Where> filters, std::uint64_t limit = 10, const std::string& name = "items") {
        const CopiedTable searched = table(name);
        vector_ = stored_vector(db_, searched, first_id());
        return find_nearest(db_, searched,
                            {.vector = vector_, .filters = std::move(filters), .limit = limit, .explains = true});
    }

    std::string first_id() { return std::string{db_.exec("SELECT min(id) FROM items").text(0, 0)}; }

    std::uint64_t count(const std::string& condition) {
        return static_cast<std::uint64_t>(db_.exec("SELECT count(*) FROM items t WHERE " + condition).integer(0, 0));
    }

    static inline test::CopyCase* with_ = nullptr;
    pg::Connection db_ = with_->open();
    std::vector<float> vector_;
};

TEST_F(TableSearch, FindsTheNearestByTheIndexWhereNothingIsFiltered) {
    const TableAnswer answer = find({});
    ASSERT_THAT(answer.rows, SizeIs(10));
    EXPECT_EQ(answer.rows.front().id, first_id());
    EXPECT_EQ(answer.rows.front().distance, 0);
    EXPECT_TRUE(std::ranges::is_sorted(answer.rows, {}, &TableRow::distance));
    EXPECT_EQ(answer.scan, Scan::index);
    EXPECT_THAT(answer.plan, HasSubstr("items_embedding_hnsw"));
}

TEST_F(TableSearch, GoesThroughTheIndexUnderAFilterThatManyRowsPass) {
    const TableAnswer answer = find(where(R"({"half": 1})"));
    EXPECT_THAT(answer.rows, SizeIs(10));
    EXPECT_EQ(answer.scan, Scan::index);
    EXPECT_THAT(answer.plan, HasSubstr("items_embedding_hnsw"));
    EXPECT_NEAR(static_cast<double>(answer.passing), records / 2.0, records / 10.0);
    for (const TableRow& row : answer.rows)
        EXPECT_THAT(row.metadata.value(), HasSubstr("\"half\": 1"));
}

TEST_F(TableSearch, ComparesAllThatPassByTheGinIndexWhereFewDo) {
    const TableAnswer answer = find(where(R"({"rare": {"$in": [5, 17]}})"));
    EXPECT_THAT(answer.rows, SizeIs(6));
    EXPECT_EQ(answer.scan, Scan::exact);
    EXPECT_THAT(answer.plan, HasSubstr("items_metadata_gin"));
    EXPECT_THAT(answer.plan, Not(HasSubstr("items_embedding_hnsw")));
}

TEST_F(TableSearch, GivesAsManyRowsAsPassWhateverTheLimit) {
    const struct {
        const char* filter;
        const char* condition;
    } cases[] = {{R"({"half": {"$ne": 0}})", "(metadata ->> 'half')::int <> 0"},
                 {R"({"rare": {"$lt": 50}})", "(metadata ->> 'rare')::int < 50"},
                 {R"({"half_real": {"$gte": 1.5}})", "(metadata ->> 'half_real')::numeric >= 1.5"},
                 {R"({"$and": [{"half": 1}, {"rare": {"$nin": [1, 3]}}]})",
                  "metadata ->> 'half' = '1' AND metadata ->> 'rare' NOT IN ('1', '3')"},
                 {R"({"absent": 1})", "false"}};
    for (const auto& one : cases) {
        const std::uint64_t passing = count(one.condition);
        for (const std::uint64_t limit : {1U, 10U, 500U, 1'000U}) {
            std::set<std::string> ids;
            for (const TableRow& row : find(where(one.filter), limit).rows)
                ids.insert(row.id);
            EXPECT_THAT(ids, SizeIs(std::min(limit, passing))) << one.filter << " " << limit;
        }
    }
}

TEST_F(TableSearch, ContinuesOnTheNextPageWhereThePageBeforeEnded) {
    const std::vector<TableRow> all = find(where(R"({"half": 1})"), 20).rows;
    const TableAnswer second =
        find_nearest(db_, table(), {.vector = vector_, .filters = where(R"({"half": 1})"), .limit = 10, .offset = 10});
    ASSERT_THAT(second.rows, SizeIs(10));
    for (std::size_t i = 0; i < 10; ++i)
        EXPECT_EQ(second.rows[i].id, all[10 + i].id);
}

TEST_F(TableSearch, NeedsNoIndex) {
    const TableAnswer plain = find({}, 10, "plain");
    EXPECT_EQ(plain.scan, Scan::exact);
    EXPECT_EQ(plain.rows.front().id, first_id());
    EXPECT_THAT(plain.rows, SizeIs(10));
}

TEST_F(TableSearch, SearchesHalfPrecisionColumnsByTheirIndex) {
    const TableAnswer answer = find({}, 10, "halves");
    EXPECT_EQ(answer.scan, Scan::index);
    EXPECT_THAT(answer.plan, HasSubstr("halves_embedding_hnsw"));
    EXPECT_EQ(answer.rows.front().id, first_id());
}

TEST_F(TableSearch, KnowsTheSpaceFromTheIndexWithoutARunRecord) {
    EXPECT_EQ(read_copied_table(db_, "public", "items", std::nullopt).space, catalog::Space::l2);
    EXPECT_THROW(read_copied_table(db_, "public", "plain", std::nullopt), Error);
}

TEST_F(TableSearch, DoesNotSearchByTheIndexOfAnotherSpace) {
    const CopiedTable cosine = read_copied_table(db_, "public", "items", catalog::Space::cosine);
    EXPECT_FALSE(cosine.has_index);
    vector_ = stored_vector(db_, cosine, first_id());
    const TableAnswer answer = find_nearest(db_, cosine, {.vector = vector_, .limit = 3, .explains = true});
    EXPECT_NEAR(answer.rows.front().distance, 0, 1e-6);
    EXPECT_THAT(answer.plan, Not(HasSubstr("items_embedding_hnsw")));
}

TEST_F(TableSearch, RefusesOtherTablesRowsAndVectors) {
    with_->exec("CREATE TABLE other (id text PRIMARY KEY, embedding vector(32))");
    EXPECT_THROW(table("other"), Error);
    EXPECT_THROW(table("nothing"), Error);
    EXPECT_THROW(stored_vector(db_, table(), "no such id"), Error);
    vector_.assign(7, 1.0F);
    try {
        find_nearest(db_, table(), {.vector = vector_});
        FAIL() << "found";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::dimension_mismatch);
        EXPECT_THAT(error.happened(), HasSubstr("Embedding dimension mismatch"));
        EXPECT_THAT(error.happened(), HasSubstr("7-d vector, column public.items.embedding is vector(32)"));
    }
}

TEST_F(TableSearch, TakesAVectorOfLengthZeroForOneAtRightAngles) {
    with_->exec(
        "CREATE TABLE zero (id text PRIMARY KEY, document text, metadata jsonb, embedding vector(2)); INSERT INTO zero "
        "VALUES ('near', 'a', NULL, '[1,0]'), ('none', NULL, NULL, '[0,0]'), ('against', 'b', NULL, '[-1,0]'), "
        "('lost', "
        "'c', NULL, NULL)");
    const std::vector<float> right{1, 0};
    const auto zero = read_copied_table(db_, "public", "zero", catalog::Space::cosine);
    const TableAnswer answer = find_nearest(db_, zero, {.vector = right});
    ASSERT_THAT(answer.rows, SizeIs(3));
    EXPECT_EQ(answer.rows[1].id, "none");
    EXPECT_EQ(answer.rows[1].distance, 1);
    EXPECT_EQ(answer.rows[1].document, std::nullopt);
    EXPECT_EQ(answer.rows[2].distance, 2);
}

}  // namespace
}  // namespace decant::search
