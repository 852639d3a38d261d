#include "chroma/server_query.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "core/error.hpp"
#include "tests/support/fake_chroma.hpp"

namespace decant::chroma {
namespace {

using namespace std::chrono_literals;
using test::FakeChroma;
using test::StandInAnswer;
using test::StandInRequest;
using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<float> east{1, 0, 0, 0};

class ServerQueryTest : public testing::TestWithParam<FakeChroma::Api> {
protected:
    ServerQueryTest() {
        server_.add_collection("products");
        server_.put("products", {.id = "near", .vector = {2, 0.1F, 0, 0}, .metadata = {{"sku", std::string{"N"}}}});
        server_.put("products", {.id = "far", .vector = {-1, 0, 0, 0}});
        server_.put("products", {.id = "middle", .vector = {1, 1, 0, 0}});
    }
    ~ServerQueryTest() override { EXPECT_EQ(server_.violations(), std::vector<std::string>{}); }

    std::vector<std::string> ids(std::size_t count) {
        std::vector<std::string> out;
        for (const Record& record : query_.nearest({.vector = east, .count = count}).records)
            out.emplace_back(record.id);
        return out;
    }

    /// What is answered to questions in the place of the server.
    void answer_questions(const StandInAnswer& answer) {
        server_.set_fault([answer](const StandInRequest& request) -> std::optional<StandInAnswer> {
            return request.target.find("/query") != std::string::npos ? std::optional{answer} : std::nullopt;
        });
    }

    Error error_of(bool wants_vectors = false) {
        try {
            query_.nearest({.vector = east, .count = 2, .wants_vectors = wants_vectors});
        } catch (const Error& error) {
            return error;
        }
        return {ErrorCode::internal, "no error", ""};
    }

    std::size_t questions() const {
        std::size_t count = 0;
        for (const StandInRequest& request : const_cast<FakeChroma&>(server_).http().requests())
            count += request.target.find("/query") != std::string::npos ? 1U : 0U;
        return count;
    }

    FakeChroma server_{GetParam()};
    ServerQuery query_{server_.address(), {.name = "products"}};
};

TEST_P(ServerQueryTest, GivesTheNearestRecordsWithTheirDistancesAndMetadata) {
    const auto [records, distances] = query_.nearest({.vector = east, .count = 2});
    ASSERT_EQ(records.size(), 2U);
    EXPECT_EQ(records[0].id, "near");
    EXPECT_EQ(records[1].id, "middle");
    ASSERT_EQ(distances.size(), 2U);
    EXPECT_NEAR(distances[1], 1 - std::sqrt(0.5), 1e-6);
    EXPECT_EQ(records[0].metadata->front().key, "sku");
    EXPECT_TRUE(records[0].vector.empty());
}

TEST_P(ServerQueryTest, GivesTheVectorsWhereTheyAreWanted) {
    const auto [records, distances] = query_.nearest({.vector = east, .count = 1, .wants_vectors = true});
    EXPECT_THAT(records[0].vector, ElementsAre(2, 0.1F, 0, 0));
}

TEST_P(ServerQueryTest, AsksOnceForTheCollectionAndGivesAllWhenMoreAreAskedFor) {
    EXPECT_THAT(ids(100), ElementsAre("near", "middle", "far"));
    const std::size_t before = server_.http().requests().size();
    EXPECT_THAT(ids(1), ElementsAre("near"));
    EXPECT_EQ(server_.http().requests().size(), before + 1);
    EXPECT_EQ(query_.count(), 3U);
    EXPECT_EQ(server_.http().connections(), 1U);
}

TEST_P(ServerQueryTest, SaysThatTheCollectionIsGoneAndFindsItWhenItIsMadeAnew) {
    ids(1);
    server_.renew_collection("products");
    EXPECT_EQ(error_of().code(), ErrorCode::not_found);
    query_.forget_collection();
    EXPECT_THAT(ids(1), testing::IsEmpty());
    ServerQuery other{server_.address(), {.name = "product"}};
    try {
        other.collection();
        FAIL() << "found";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::not_found);
        EXPECT_THAT(error.remedy(), HasSubstr("'products'"));
    }
}

TEST_P(ServerQueryTest, TriesAFailureThatMayPassOnceMoreAndNoOftener) {
    server_.set_fault([is_first = std::make_shared<std::atomic<bool>>(true)](
                          const StandInRequest& request) -> std::optional<StandInAnswer> {
        const bool fails = request.target.find("/query") != std::string::npos && is_first->exchange(false);
        return fails ? std::optional{StandInAnswer{.status = 503}} : std::nullopt;
    });
    EXPECT_THAT(ids(1), ElementsAre("near"));
    answer_questions({.status = 503, .body = R"({"error":"Starting","message":"not yet"})"});
    const std::size_t before = questions();
    EXPECT_EQ(error_of().code(), ErrorCode::source_unavailable);
    EXPECT_EQ(questions(), before + 2);
}

TEST_P(ServerQueryTest, TakesADistanceThatIsNoNumberForNone) {
    answer_questions({.body = R"({"ids":[["a","b"]],"distances":[[null,0.5]],"metadatas":[[null,null]]})"});
    const auto [records, distances] = query_.nearest({.vector = east, .count = 2});
    EXPECT_TRUE(std::isnan(distances[0]));
    EXPECT_EQ(distances[1], 0.5);
}

TEST_P(ServerQueryTest, TakesOneRecordMoreThanItAskedForAs04GivesIt) {
    answer_questions({.body = R"({"ids":[["a","b","c"]],"distances":[[1,2,3]]})"});
    EXPECT_THAT(ids(2), ElementsAre("a", "b", "c"));
}

struct WrongAnswer {
    const char* name;
    StandInAnswer answer;
    ErrorCode code;
    bool wants_vectors = false;
};

class WrongAnswers : public ServerQueryTest {};

TEST_P(WrongAnswers, AreErrorsAndNeverAnAnswer) {
    const std::vector<WrongAnswer> wrong{
        {"500", {.status = 500, .body = R"({"error":"no"})"}, ErrorCode::source_unreadable},
        {"503", {.status = 503}, ErrorCode::source_unavailable},
        {"429", {.status = 429, .headers = {"Retry-After: 0"}}, ErrorCode::rate_limited},
        {"401", {.status = 401}, ErrorCode::unauthenticated},
        {"413", {.status = 413}, ErrorCode::too_large},
        {"a page", {.body = "<html>It works!</html>"}, ErrorCode::source_unavailable},
        {"half an answer", {.body = R"({"ids":[["a","b"]],"distances":[[0.1,)"}, ErrorCode::source_unavailable},
        {"a cut connection",
         {.body = R"({"ids":[["a"]],"distances":[[0.1]],"metadatas":[[null]]})", .cut_after = 20},
         ErrorCode::source_unavailable},
        {"fewer distances", {.body = R"({"ids":[["a","b"]],"distances":[[1]]})"}, ErrorCode::source_unreadable},
        {"more distances", {.body = R"({"ids":[["a"]],"distances":[[1,2]]})"}, ErrorCode::source_unreadable},
        {"no distances", {.body = R"({"ids":[["a"]],"metadatas":[[null]]})"}, ErrorCode::source_unreadable},
        {"null distances", {.body = R"({"ids":[["a"]],"distances":null})"}, ErrorCode::source_unreadable},
        {"fewer metadatas",
         {.body = R"({"ids":[["a","b"]],"distances":[[1,2]],"metadatas":[[null]]})"},
         ErrorCode::source_unreadable},
        {"two answers", {.body = R"({"ids":[["a"],["b"]],"distances":[[1],[2]]})"}, ErrorCode::source_unreadable},
        {"no answer", {.body = R"({"ids":[],"distances":[]})"}, ErrorCode::source_unreadable},
        {"an answer to get", {.body = R"({"ids":["a"],"distances":[1]})"}, ErrorCode::source_unreadable},
        {"a text for a distance", {.body = R"({"ids":[["a"]],"distances":[["x"]]})"}, ErrorCode::source_unreadable},
        {"a number for an id", {.body = R"({"ids":[[1]],"distances":[[1]]})"}, ErrorCode::source_unreadable},
        {"no vectors",
         {.body = R"({"ids":[["a"]],"distances":[[1]],"embeddings":null})"},
         ErrorCode::source_unreadable,
         true},
    };
    for (const WrongAnswer& one : wrong) {
        query_.limit({.deadline = std::chrono::steady_clock::now() + 10s});
        answer_questions(one.answer);
        EXPECT_EQ(error_of(one.wants_vectors).code(), one.code) << one.name;
    }
    server_.set_fault({});
    EXPECT_THAT(ids(1), ElementsAre("near")) << "after all of them";
}

TEST_P(ServerQueryTest, DoesNotWaitForAServerBeyondTheDeadline) {
    ids(1);
    answer_questions({.is_withheld = true});
    const auto start = std::chrono::steady_clock::now();
    query_.limit({.deadline = start + 100ms});
    const Error error = error_of();
    EXPECT_EQ(error.code(), ErrorCode::timed_out);
    EXPECT_THAT(error.happened(), HasSubstr("The Chroma server"));
    EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
    server_.set_fault({});
    query_.limit({});
    EXPECT_THAT(ids(1), ElementsAre("near"));
}

TEST_P(ServerQueryTest, StopsWaitingWhenItIsNoLongerWanted) {
    ids(1);
    std::stop_source source;
    server_.set_fault([&](const StandInRequest&) -> std::optional<StandInAnswer> {
        source.request_stop();
        return StandInAnswer{.is_withheld = true};
    });
    query_.limit({.stop = source.get_token()});
    EXPECT_EQ(error_of().code(), ErrorCode::cancelled);
}

const auto both = testing::Values(FakeChroma::Api::v1, FakeChroma::Api::v2);
const auto api_name = [](const auto& each) { return each.param == FakeChroma::Api::v1 ? "v1" : "v2"; };
INSTANTIATE_TEST_SUITE_P(Apis, ServerQueryTest, both, api_name);
INSTANTIATE_TEST_SUITE_P(Apis, WrongAnswers, both, api_name);

TEST(ServerQueryAlone, SaysThatNoServerIsThere) {
    std::string url;
    {
        const FakeChroma gone{FakeChroma::Api::v2};
        url = gone.url();
    }
    ServerQuery query{{.from = url}, {.name = "products"}};
    try {
        query.collection();
        FAIL() << "found";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::source_unavailable);
    }
}

}  // namespace
}  // namespace decant::chroma
