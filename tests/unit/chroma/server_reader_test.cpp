#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "chroma/source.hpp"
#include "core/error.hpp"
#include "tests/support/fake_chroma.hpp"
#include "tests/unit/chroma/fixture.hpp"

namespace decant::chroma::test {
namespace {

using decant::test::FakeChroma;
using decant::test::sample_record;
using decant::test::StandInAnswer;
using decant::test::StandInRequest;
using testing::HasSubstr;

constexpr std::size_t dimension = 4;

class ServerReader : public testing::TestWithParam<FakeChroma::Api> {
protected:
    ServerReader() {
        server_.add_collection("products");
        server_.put_samples("products", 0, records, dimension);
    }
    ~ServerReader() override { EXPECT_EQ(server_.violations(), std::vector<std::string>{}); }

    std::unique_ptr<RecordReader> open() {
        source_ = open_source(server_.address());
        return source_->read(find_collection(*source_, {.name = "products"}));
    }

    static std::size_t count(RecordReader& reader) {
        std::size_t count = 0;
        read_all(reader, 64, [&](const Record&) { ++count; });
        return count;
    }

    static Error error_of(const std::function<void()>& action) {
        try {
            action();
        } catch (const Error& error) {
            return error;
        }
        return {ErrorCode::internal, "no error", ""};
    }

    /// Answers `times` requests whose target holds `part`, from the one after the first `after` on, with `answer`.
    void answer(const std::string& part, int after, int times, const StandInAnswer& answer) {
        server_.set_fault([=, seen = std::make_shared<std::atomic<int>>(0)](
                              const StandInRequest& request) -> std::optional<StandInAnswer> {
            if (request.target.find(part) == std::string::npos) return std::nullopt;
            const int number = seen->fetch_add(1);
            return number >= after && number < after + times ? std::optional{answer} : std::nullopt;
        });
    }

    static constexpr std::size_t records = 300;
    FakeChroma server_{GetParam()};
    std::unique_ptr<Source> source_;
};

TEST_P(ServerReader, GetsOverFailuresThatPass) {
    const std::vector<StandInAnswer> failures{{.status = 503, .body = "starting"},
                                              {.status = 429, .headers = {"Retry-After: 0"}},
                                              {.body = R"({"ids":["record-000000","rec)"},
                                              {.body = std::string(5'000, ' '), .cut_after = 700},
                                              {.body = "<html>502 Bad Gateway</html>"}};
    for (const StandInAnswer& failure : failures) {
        answer("/get", 1, 2, failure);
        EXPECT_EQ(count(*open()), records) << failure.body.substr(0, 30);
    }
}

TEST_P(ServerReader, SaysThatTheServerIsAwayWhenFailuresDoNotPass) {
    answer("/get", 0, 1'000, {.status = 503, .body = R"({"error":"Starting","message":"not yet"})"});
    const Error error = error_of([&] { open(); });
    EXPECT_EQ(error.code(), ErrorCode::source_unavailable);
    EXPECT_THAT(error.happened(), HasSubstr("not yet"));
}

TEST_P(ServerReader, CallsItTheServersFaultWhenItAnswers500EachTime) {
    answer("/get", 0, 1'000, {.status = 500, .body = "{\"error\":\"Out of range float values\"}"});
    const Error error = error_of([&] { open(); });
    EXPECT_EQ(error.code(), ErrorCode::source_unreadable);
    EXPECT_THAT(error.happened(), HasSubstr("Out of range"));
    EXPECT_THAT(error.remedy(), HasSubstr("directory"));
}

TEST_P(ServerReader, NamesTheTokenWhenItIsRefused) {
    server_.require_header("x-chroma-token", "right");
    SourceAddress address = server_.address();
    for (const char* token : {"", "wrong-and-secret"}) {
        address.token = token;
        address.token_header = "X-Chroma-Token";
        const Error error = error_of([&] { open_source(address); });
        EXPECT_EQ(error.code(), ErrorCode::permission_denied);
        EXPECT_THAT(error.remedy(), HasSubstr("CHROMA_TOKEN"));
        EXPECT_THAT(error.happened() + error.remedy(), testing::Not(HasSubstr("secret")));
    }
    address.token = "right";
    EXPECT_EQ(open_source(address)->collections().size(), 1U);
}

TEST_P(ServerReader, SendsABearerTokenOrAUser) {
    server_.require_header("authorization", "Bearer right");
    SourceAddress address = server_.address();
    address.token = "right";
    EXPECT_EQ(open_source(address)->collections().size(), 1U);
    server_.require_header("authorization", "Basic YW5hOnA=");
    address = server_.address();
    address.user = "ana";
    address.password = "p";
    EXPECT_EQ(open_source(address)->collections().size(), 1U);
}

TEST_P(ServerReader, TellsWhichRecordsCameAndWentWhileItRead) {
    const auto reader = open();
    reader->next_page(10);
    server_.remove("products", "record-000003");
    server_.put("products", sample_record(7'000, dimension));
    const Error error = error_of([&] { count(*reader); });
    EXPECT_EQ(error.code(), ErrorCode::source_changed);
    EXPECT_THAT(error.happened(), HasSubstr("1 record ('record-007000') came, 1 record ('record-000003') went"));
}

TEST_P(ServerReader, TellsWhichRecordASecondReadingFindsChanged) {
    const auto reader = open();
    EXPECT_EQ(count(*reader), records);
    reader->rewind();
    server_.put("products", sample_record(150, dimension, 1));
    const Error error = error_of([&] { count(*reader); });
    EXPECT_EQ(error.code(), ErrorCode::source_changed);
    EXPECT_THAT(error.happened(), HasSubstr("record 'record-000150'"));
}

TEST_P(ServerReader, ListsTheIdsAgainWhenTheTotalChangesMeanwhile) {
    server_.set_fault([this, is_first = std::make_shared<std::atomic<bool>>(true)](
                          const StandInRequest& request) -> std::optional<StandInAnswer> {
        const bool lists_rest = request.body.find("\"offset\":300,") != std::string::npos;
        if (lists_rest && is_first->exchange(false)) server_.remove("products", "record-000000");
        return std::nullopt;
    });
    const auto reader = open();
    EXPECT_EQ(reader->record_count(), records - 1);
    EXPECT_EQ(count(*reader), records - 1);
}

TEST_P(ServerReader, RefusesACollectionThatNeverStandsStill) {
    server_.set_fault([this, next = std::make_shared<std::atomic<std::uint64_t>>(records)](
                          const StandInRequest& request) -> std::optional<StandInAnswer> {
        if (request.target.find("/count") != std::string::npos) {
            server_.put("products", sample_record(next->fetch_add(1), dimension));
        }
        return std::nullopt;
    });
    EXPECT_EQ(error_of([&] { open(); }).code(), ErrorCode::source_changed);
}

TEST_P(ServerReader, AsksForLessWhenTheServerGivesNoMoreAtOnce) {
    const std::string quota = R"({"error":"ChromaError","message":"Quota exceeded: at most 30 records a get"})";
    for (const StandInAnswer& refusal : {StandInAnswer{.status = 413}, StandInAnswer{.status = 422, .body = quota}}) {
        server_.set_fault([refusal](const StandInRequest& request) -> std::optional<StandInAnswer> {
            const bool is_large = std::ranges::count(request.body, ',') > 30 ||
                                  request.body.find("\"limit\":20000,") != std::string::npos;
            const bool is_get = request.target.find("/get") != std::string::npos;
            return is_get && is_large ? std::optional{refusal} : std::nullopt;
        });
        EXPECT_EQ(count(*open()), records) << refusal.status;
    }
}

TEST_P(ServerReader, SaysThatTheCollectionIsGone) {
    const auto reader = open();
    const std::string message = R"({"error":"InvalidCollection","message":"Collection x does not exist."})";
    answer("/get", 0, 1, {.status = GetParam() == FakeChroma::Api::v1 ? 400 : 404, .body = message});
    EXPECT_EQ(error_of([&] { count(*reader); }).code(), ErrorCode::not_found);
}

TEST_P(ServerReader, RefusesAnswersThatWouldPairRecordsWrongly) {
    // Chroma 0.5.23 without its index files: every id, and only the vectors that are in the queue.
    answer("/get", 2, 1,
           {.body = R"({"ids":["a","b"],"embeddings":[[1,2,3,4]],"documents":[null,null],"metadatas":[null,null]})"});
    const auto reader = open();
    EXPECT_EQ(error_of([&] { count(*reader); }).code(), ErrorCode::source_unreadable);
}

TEST_P(ServerReader, IsNoReaderOfOtherServers) {
    server_.set_fault([](const StandInRequest&) { return StandInAnswer{.body = "<html>It works!</html>"}; });
    const Error error = error_of([&] { open(); });
    EXPECT_EQ(error.code(), ErrorCode::source_unreadable);
    EXPECT_THAT(error.happened(), HasSubstr("not as a Chroma server"));
}

TEST_P(ServerReader, FindsTheCollectionsOfATenantAndDatabase) {
    server_.add_collection("products", {"inquilino ñ", "tienda/1"});
    SourceAddress address = server_.address();
    address.tenant = "inquilino ñ";
    address.database = "tienda/1";
    const auto source = open_source(address);
    ASSERT_EQ(source->collections().size(), 1U);
    EXPECT_EQ(source->collections().front().database, "tienda/1");
    EXPECT_EQ(source->read(source->collections().front())->record_count(), 0U);
    address.database = "tiend";
    EXPECT_EQ(error_of([&] { open_source(address); }).code(), ErrorCode::not_found);
}

TEST_P(ServerReader, AsksARecordForTheDimensionWhereTheServerDoesNotTellIt) {
    server_.add_collection("empty");
    server_.leave_dimensions_out();
    const auto source = open_source(server_.address());
    EXPECT_EQ(find_collection(*source, {.name = "products"}).dimension, dimension);
    EXPECT_EQ(find_collection(*source, {.name = "empty"}).dimension, std::nullopt);
}

TEST_P(ServerReader, ListsMoreCollectionsThanAPageHolds) {
    for (int i = 0; i < 250; ++i)
        server_.add_collection("more-" + std::to_string(i));
    EXPECT_EQ(open_source(server_.address())->collections().size(), 251U);
}

INSTANTIATE_TEST_SUITE_P(Apis, ServerReader, testing::Values(FakeChroma::Api::v1, FakeChroma::Api::v2),
                         [](const auto& each) { return each.param == FakeChroma::Api::v1 ? "v1" : "v2"; });

TEST(ServerSource, ListsAllDatabasesOfTheTenant) {
    FakeChroma server{FakeChroma::Api::v2};
    server.add_collection("a");
    server.add_collection("b", {"default_tenant", "second"});
    server.add_collection("c", {"other", "default_database"});
    EXPECT_EQ(open_source(server.address())->collections().size(), 2U);
}

}  // namespace
}  // namespace decant::chroma::test
