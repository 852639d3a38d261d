// What a Chroma collection may hold, and what its server may answer, that a search must get right.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>
#include <cstdlib>

#include "core/error.hpp"
#include "search/chroma_search.hpp"
#include "tests/support/fake_chroma.hpp"
#include "tests/support/schema_case.hpp"

namespace decant::search {
namespace {

using chroma::Space;
using test::FakeChroma;
using test::StandInAnswer;
using test::StandInRequest;
using test::SyntheticChroma;
using testing::HasSubstr;

/// Few products, with records of every kind.
class ChromaRecords : public testing::Test {
protected:
    ChromaRecords() {
        with_.exec(
            "INSERT INTO categories (name, display_name) VALUES ('c', 'C'); INSERT INTO products (name, specs, price, "
            "stock, sku, category_id) SELECT 'P' || i, '', i, 1, 'sku-' || i, (SELECT id FROM categories) FROM "
            "generate_series(1, 3) i");
    }

    ChromaAnswer find_in_directory(std::uint64_t limit = 10) {
        const ChromaSearch search{{.from = source_.path().string()}, "products"};
        return search.find({.vector = east_, .limit = limit}, db_);
    }

    test::SchemaCase with_;
    pg::Connection db_ = with_.open();
    SyntheticChroma source_{{.dimension = 4, .space = "l2"}};
    std::vector<float> east_{1, 0, 0, 0};
};

TEST_F(ChromaRecords, GiveEveryProductOnceByItsNearest) {
    source_.put({{.id = "a", .vector = {1, 1, 0, 0}, .metadata = {{"sku", std::string{"sku-1"}}}},
                 {.id = "sku-1", .vector = {5, 0, 0, 0}},
                 {.id = "sku-2", .vector = {2, 1, 0, 0}}});
    const ChromaAnswer answer = find_in_directory();
    ASSERT_EQ(answer.hits.size(), 2U);
    EXPECT_EQ(answer.hits[0].sku, "sku-1");
    EXPECT_NEAR(answer.hits[0].similarity.value(), 1, 1e-6) << "however long the vector is";
    EXPECT_EQ(answer.hits[1].sku, "sku-2");
    EXPECT_NEAR(answer.hits[1].similarity.value(), 2 / std::sqrt(5), 1e-6);
    EXPECT_EQ(find_in_directory(1).hits.size(), 1U);
}

TEST_F(ChromaRecords, ThatTheCatalogDoesNotHaveAreCountedAndNotShown) {
    using namespace std::string_literals;
    source_.put({{.id = "sku-3", .vector = {1, 0, 0, 0}},
                 {.id = "gone", .vector = {1, 0, 0, 0}},
                 {.id = "nul\0"s, .vector = {1, 0, 0, 0}, .metadata = {{"sku", "sku-1\0"s}}},
                 {.id = "not utf8 \xff", .vector = {1, 0, 0, 0}}});
    const ChromaAnswer answer = find_in_directory();
    EXPECT_EQ(answer.hits.size(), 1U);
    EXPECT_EQ(answer.unknown, 3U);
    EXPECT_EQ(answer.compared, 4U);
}

TEST_F(ChromaRecords, WithVectorsThatDoNotCompareAreCountedAndNotShown) {
    source_.put({{.id = "sku-1", .vector = {0, 0, 0, 0}},
                 {.id = "sku-2", .vector = {std::nanf(""), 0, 0, 1}},
                 {.id = "sku-3", .vector = {0, 1, 0, 0}},
                 {.id = "other", .vector = {1, 2}}});
    const ChromaAnswer answer = find_in_directory();
    ASSERT_EQ(answer.hits.size(), 1U);
    EXPECT_EQ(answer.hits[0].sku, "sku-3");
    EXPECT_EQ(answer.unusable, 3U);
}

TEST_F(ChromaRecords, AreThoseOfTheDirectoryAsItIsNow) {
    const ChromaSearch search{{.from = source_.path().string()}, "products"};
    source_.put({{.id = "sku-1", .vector = {1, 0, 0, 0}}});
    EXPECT_EQ(search.find({.vector = east_}, db_).hits.size(), 1U);
    source_.put({{.id = "sku-2", .vector = {1, 1, 0, 0}}});
    const ChromaAnswer answer = search.find({.vector = east_}, db_);
    EXPECT_EQ(answer.hits.size(), 2U);
    EXPECT_GE(answer.held_bytes, 2 * 4 * sizeof(float));
}

/// One server with 300 records, of which the catalog has the first three, the farthest.
class ChromaServerLeg : public ChromaRecords {
protected:
    static constexpr int records = 300;

    ChromaServerLeg() { fill(); }
    ~ChromaServerLeg() override { EXPECT_EQ(server_.violations(), std::vector<std::string>{}); }

    void fill(Space space = Space::cosine) {
        server_.add_collection(name_of(space).data(), {}, space);
        for (int i = 1; i <= records; ++i)
            server_.put(name_of(space).data(),
                        {.id = fmt::format("sku-{}", i), .vector = {static_cast<float>(i), 100, 0, 0}});
    }

    ChromaAnswer find(Space space = Space::cosine, double threshold = -1) {
        const ChromaSearch search{server_.address(), name_of(space).data(), server_time_};
        return search.find({.vector = east_, .limit = 2, .threshold = threshold}, db_);
    }

    /// How many records each question asked for.
    std::vector<int> questions() {
        std::vector<int> out;
        for (const StandInRequest& request : server_.http().requests()) {
            const std::size_t at = request.body.find("\"n_results\":");
            if (at != std::string::npos) out.push_back(std::atoi(request.body.c_str() + at + 12));
        }
        return out;
    }

    /// Answers questions for more than `most` records in the place of the server.
    void answer_beyond(int most, const StandInAnswer& answer) {
        server_.set_fault([most, answer](const StandInRequest& request) -> std::optional<StandInAnswer> {
            const std::size_t at = request.body.find("\"n_results\":");
            if (at == std::string::npos || std::atoi(request.body.c_str() + at + 12) <= most) return std::nullopt;
            return answer;
        });
    }

    ErrorCode code_of_find() {
        try {
            find();
        } catch (const Error& error) {
            return error.code();
        }
        return ErrorCode::internal;
    }

    FakeChroma server_{FakeChroma::Api::v2};
    std::chrono::milliseconds server_time_{10'000};
};

TEST_F(ChromaServerLeg, AsksForMoreUntilEnoughPass) {
    const ChromaAnswer answer = find();
    EXPECT_EQ(answer.hits.size(), 2U);
    EXPECT_EQ(answer.hits.front().sku, "sku-3");
    EXPECT_THAT(questions(), testing::ElementsAre(24, 96, 384));
    EXPECT_EQ(answer.compared, 300U);
    EXPECT_EQ(answer.unknown, 297U);
    EXPECT_EQ(answer.cut, "");
}

TEST_F(ChromaServerLeg, AsksForNoMoreOnceTheThresholdIsPassed) {
    EXPECT_TRUE(find(Space::cosine, 0.948).hits.empty());
    EXPECT_THAT(questions(), testing::ElementsAre(24));
}

TEST_F(ChromaServerLeg, GivesTheTrueCosineOfVectorsThatAreNotOfLength1) {
    for (const Space space : {Space::l2, Space::ip}) {
        fill(space);
        const ChromaAnswer answer = find(space, 0.015);
        ASSERT_EQ(answer.hits.size(), 2U);
        EXPECT_EQ(answer.hits[0].sku, "sku-3");
        EXPECT_NEAR(answer.hits[0].similarity.value(), 3 / std::hypot(3, 100), 1e-6);
        EXPECT_NEAR(answer.hits[1].similarity.value(), 2 / std::hypot(2, 100), 1e-6);
    }
}

TEST_F(ChromaServerLeg, SaysThatTheServerGivesNoMoreAtOnce) {
    answer_beyond(96, {.status = 422, .body = R"({"message":"Quota exceeded: 'n_results' of 384 exceeds 100"})"});
    const ChromaAnswer answer = find();
    EXPECT_TRUE(answer.hits.empty());
    EXPECT_THAT(answer.cut, HasSubstr("of more than 96 records"));
    EXPECT_THAT(answer.cut, HasSubstr("Quota exceeded"));
    answer_beyond(0, {.status = 413});
    EXPECT_EQ(code_of_find(), ErrorCode::too_large) << "with nothing to show for it";
}

TEST_F(ChromaServerLeg, AsksForNoMoreThanTheHitsWhereTheServerGivesNoMore) {
    for (int i = 299; i <= 300; ++i)
        with_.exec(
            fmt::format("INSERT INTO products (name, specs, price, stock, sku, category_id) SELECT 'P', '', 1, "
                        "1, 'sku-{}', id FROM categories",
                        i));
    answer_beyond(2, {.status = 413});
    const ChromaAnswer answer = find();
    EXPECT_EQ(answer.hits.size(), 2U);
    EXPECT_EQ(answer.cut, "") << "all that was asked for is there";
    EXPECT_THAT(questions(), testing::ElementsAre(24, 2));
}

/// As 0.x says it.
TEST_F(ChromaServerLeg, KeepsWhatItHasWhereTheIndexReachesNoFurther) {
    constexpr const char* refusal =
        "{\"error\":\"RuntimeError('Cannot return the results in a contigious 2D array. Probably ef or M is too "
        "small')\"}";
    answer_beyond(24, {.status = 500, .body = refusal});
    const ChromaAnswer answer = find();
    EXPECT_EQ(answer.compared, 24U);
    EXPECT_THAT(answer.cut, HasSubstr("of more than 24 records"));
    EXPECT_THAT(questions(), testing::ElementsAre(24, 96)) << "not tried again in vain";
}

TEST_F(ChromaServerLeg, SaysThatTheIndexGivesFewerRecordsThanThereAre) {
    answer_beyond(0, {.body = R"({"ids":[["sku-1","sku-9"]],"distances":[[0.1,0.2]],"metadatas":[[null,null]]})"});
    const ChromaAnswer answer = find();
    EXPECT_EQ(answer.hits.size(), 1U);
    EXPECT_EQ(answer.unknown, 1U);
    EXPECT_EQ(answer.cut, "the server's index gives 2 of 300 records");
}

TEST_F(ChromaServerLeg, CountsDistancesThatAreNoNumbers) {
    answer_beyond(0, {.body = R"({"ids":[["sku-1","sku-2"]],"distances":[[null,0.2]],"metadatas":[[null,null]]})"});
    const ChromaAnswer answer = find();
    ASSERT_EQ(answer.hits.size(), 1U);
    EXPECT_EQ(answer.hits[0].sku, "sku-2");
    EXPECT_EQ(answer.unusable, 1U);
}

TEST_F(ChromaServerLeg, HoldsNoSearchLongerThanItsTime) {
    server_time_ = std::chrono::milliseconds{200};
    answer_beyond(0, {.is_withheld = true});
    EXPECT_EQ(code_of_find(), ErrorCode::timed_out);
    answer_beyond(24, {.is_withheld = true});
    const ChromaAnswer answer = find();
    EXPECT_THAT(answer.cut, HasSubstr("of more than 24 records: The Chroma server"));
}

TEST_F(ChromaServerLeg, PassesTheServersFaultsOn) {
    answer_beyond(0, {.status = 503});
    EXPECT_EQ(code_of_find(), ErrorCode::source_unavailable);
    answer_beyond(0, {.status = 500, .body = "{}"});
    EXPECT_EQ(code_of_find(), ErrorCode::source_unreadable);
    answer_beyond(0, {.body = R"({"ids":[["a","b"]],"distances":[[1]]})"});
    EXPECT_EQ(code_of_find(), ErrorCode::source_unreadable);
    server_.set_fault({});
    EXPECT_EQ(find().hits.size(), 2U);
}

TEST_F(ChromaServerLeg, FindsACollectionThatWasDeletedAndMadeAnew) {
    const ChromaSearch search{server_.address(), "cosine"};
    EXPECT_EQ(search.find({.vector = east_}, db_).hits.size(), 3U);
    server_.renew_collection("cosine");
    server_.put("cosine", {.id = "sku-2", .vector = {1, 0, 0, 0}});
    EXPECT_EQ(search.find({.vector = east_}, db_).hits.size(), 1U);
}

TEST_F(ChromaServerLeg, KeepsItsConnectionForTheNextQuestion) {
    const ChromaSearch search{server_.address(), "cosine"};
    for (int i = 0; i < 5; ++i)
        search.find({.vector = east_}, db_);
    EXPECT_EQ(server_.http().connections(), 1U);
}

}  // namespace
}  // namespace decant::search
