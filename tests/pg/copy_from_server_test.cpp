#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <csignal>

#include "tests/support/catalog_case.hpp"
#include "tests/support/copy_case.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/fake_chroma.hpp"

namespace decant::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr std::size_t dimension = 8;
constexpr std::uint64_t records = 600;

class CopyFromServer : public testing::Test {
protected:
    CopyFromServer() {
        server_.add_collection("products");
        server_.put_samples("products", 0, records, dimension);
    }
    ~CopyFromServer() override { EXPECT_EQ(server_.violations(), std::vector<std::string>{}); }

    std::vector<std::string> arguments(const std::vector<std::string>& more = {}) const {
        std::vector<std::string> all{"copy",     "--from",  server_.url(), "--collection",
                                     "products", "--index", "none",        "--json"};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }

    /// From the second request for records on: `change` is made once, then `times` more, before the answer.
    void change_while_read(int times, const std::function<void(int)>& change) {
        server_.set_fault([=, seen = std::make_shared<std::atomic<int>>(0)](
                              const StandInRequest& request) -> std::optional<StandInAnswer> {
            const bool reads_records = request.body.find("\"ids\"") != std::string::npos;
            if (!reads_records) return std::nullopt;
            const int number = seen->fetch_add(1);
            if (number < times) change(number);
            return std::nullopt;
        });
    }

    FakeChroma server_{FakeChroma::Api::v2};
    CopyCase with_;
};

TEST_F(CopyFromServer, LandsEqualIsVerifiedAndIsLeftAloneTheNextTime) {
    const Outcome copied = with_.decant().run(arguments());
    ASSERT_EQ(copied.exit_code, 0) << copied.told();
    EXPECT_EQ(count_of(copied.json().as_object(), "copied"), records);
    EXPECT_EQ(with_.value("SELECT count(*) FROM products WHERE vector_dims(embedding) = 8"), "600");
    EXPECT_EQ(count_of(with_.decant().run(arguments()).json().as_object(), "unchanged"), records);
    EXPECT_EQ(with_.decant().run({"verify", "products", "--from", server_.url()}).exit_code, 0);
}

TEST_F(CopyFromServer, IsVerifiedByDigestsUnlessTheServerIsNamed) {
    ASSERT_EQ(with_.decant().run(arguments()).exit_code, 0);
    const std::size_t requests = server_.http().requests().size();
    const Outcome verified = with_.decant().run({"verify", "products"});
    EXPECT_EQ(verified.exit_code, 0) << verified.told();
    EXPECT_THAT(verified.out, HasSubstr("Verified against the digests"));
    EXPECT_EQ(server_.http().requests().size(), requests);
    EXPECT_EQ(with_.verify("source").exit_code, 2);
}

TEST_F(CopyFromServer, FindsWhatWasChangedInTheSourceSince) {
    ASSERT_EQ(with_.decant().run(arguments()).exit_code, 0);
    server_.put("products", sample_record(17, dimension, 1));
    const Outcome verified = with_.decant().run({"verify", "products", "--from", server_.url()});
    EXPECT_EQ(verified.exit_code, 1) << verified.told();
    EXPECT_THAT(verified.out, HasSubstr("record-000017"));
}

TEST_F(CopyFromServer, StartsAgainWhenRecordsComeAndGoAndEndsEqual) {
    change_while_read(1, [this](int) {
        server_.put("products", sample_record(9'000, dimension));
        server_.remove("products", "record-000599");
    });
    const Outcome copied = with_.decant().run(arguments());
    EXPECT_EQ(copied.exit_code, 0) << copied.told();
    EXPECT_THAT(copied.err, HasSubstr("source_changed"));
    server_.set_fault({});
    EXPECT_EQ(with_.decant().run(arguments({"--prune"})).exit_code, 0);
    EXPECT_EQ(with_.value("SELECT count(*) FROM products"), "600");
    EXPECT_EQ(with_.decant().run({"verify", "products", "--from", server_.url()}).exit_code, 0);
}

TEST_F(CopyFromServer, StartsAgainWhenVerificationFindsARecordChanged) {
    // Three pages are loaded; the fourth is the verification's.
    change_while_read(4, [this](int number) {
        if (number == 3) server_.put("products", sample_record(3, dimension, 1));
    });
    const Outcome copied = with_.decant().run(arguments());
    EXPECT_EQ(copied.exit_code, 0) << copied.told();
    EXPECT_THAT(copied.err, HasSubstr("record 'record-000003' is another than at first"));
    EXPECT_EQ(with_.decant().run({"verify", "products", "--from", server_.url()}).exit_code, 0);
}

TEST_F(CopyFromServer, TellsTheDriftOfACollectionThatChangesUnderEveryReading) {
    change_while_read(1'000'000, [this](int number) {
        server_.put("products", sample_record(10'000 + static_cast<std::uint64_t>(number), dimension));
    });
    const Outcome copied = with_.decant().run(arguments());
    EXPECT_EQ(copied.exit_code, 75) << copied.told();
    EXPECT_THAT(copied.err, testing::AllOf(HasSubstr("source_changed"), HasSubstr(" came")));
    server_.set_fault({});
    EXPECT_EQ(with_.decant().run(arguments()).exit_code, 0);
}

TEST_F(CopyFromServer, GoesOnByItselfAfterTheServerWasAwayForAWhile) {
    server_.set_fault(
        [seen = std::make_shared<std::atomic<int>>(0)](const StandInRequest& request) -> std::optional<StandInAnswer> {
            if (request.body.find("\"ids\"") == std::string::npos) return std::nullopt;
            const int number = seen->fetch_add(1);
            return number >= 1 && number < 8 ? std::optional{StandInAnswer{.status = 503}} : std::nullopt;
        });
    const Outcome copied = with_.decant().run(arguments());
    EXPECT_EQ(copied.exit_code, 0) << copied.told();
    EXPECT_THAT(copied.err, HasSubstr("source_unavailable"));
    EXPECT_EQ(with_.value("SELECT count(*) FROM products"), "600");
}

TEST_F(CopyFromServer, StopsAtASignalWhileTheServerIsSilentAndNamesTheCommandWithoutCredentials) {
    std::atomic<bool> is_waiting = false;
    server_.set_fault([&](const StandInRequest& request) -> std::optional<StandInAnswer> {
        if (request.body.find("\"ids\"") == std::string::npos) return std::nullopt;
        is_waiting = true;
        return StandInAnswer{.is_withheld = true};
    });
    std::vector<std::string> with_user = arguments();
    with_user[2].replace(0, 7, "http://ana:secret@");
    RunningDecant running = with_.decant().start(with_user);
    ASSERT_TRUE(eventually(10s, [&] { return is_waiting.load(); }));
    running.signal(SIGINT);
    const Outcome outcome = running.wait();
    EXPECT_EQ(outcome.exit_code, 130) << outcome.told();
    EXPECT_THAT(outcome.err, HasSubstr("decant copy --from " + server_.url()));
    EXPECT_THAT(outcome.told(), testing::Not(HasSubstr("secret")));
    server_.set_fault({});
}

TEST_F(CopyFromServer, KeepsCredentialsOutOfItsRecords) {
    std::vector<std::string> with_user = arguments();
    with_user[2].replace(0, 7, "http://ana:secret@");
    ASSERT_EQ(with_.decant().run(with_user, {"CHROMA_PASSWORD=other-secret"}).exit_code, 0);
    EXPECT_EQ(with_.value("SELECT source_path FROM decant.runs"), server_.url());
    EXPECT_EQ(with_.value("SELECT count(*) FROM decant.runs r WHERE r::text LIKE '%secret%'"), "0");
}

TEST_F(CopyFromServer, TakesTheSourceFromTheSettings) {
    const Outcome copied = with_.decant().run({"copy", "--collection", "products", "--index", "none", "--json"},
                                              {"CHROMA_URL=" + server_.url()});
    EXPECT_EQ(copied.exit_code, 0) << copied.told();
    const Outcome both = with_.decant().run({"copy", "--collection", "products"},
                                            {"CHROMA_URL=" + server_.url(), "CHROMA_PATH=somewhere"});
    EXPECT_EQ(both.exit_code, 78) << both.told();
}

TEST(MigrateFromServer, FillsTheCatalogAsFromTheDirectory) {
    CatalogCase from_directory;
    from_directory.put_products(0, 300);
    from_directory.put_records(0, 250);
    from_directory.migrated();
    CatalogCase from_server;
    from_server.put_products(0, 300);
    FakeChroma server{FakeChroma::Api::v1};
    server.take(*chroma::open_source({.from = from_directory.source().path().string()}));
    std::vector<std::string> arguments = from_server.arguments();
    *(std::ranges::find(arguments, "--from") + 1) = server.url();
    const Outcome migrated = from_server.decant().run(arguments);
    EXPECT_EQ(migrated.exit_code, 0) << migrated.told();
    EXPECT_EQ(from_server.embeddings(), from_directory.embeddings());
    EXPECT_EQ(server.violations(), std::vector<std::string>{});
}

}  // namespace
}  // namespace decant::test
