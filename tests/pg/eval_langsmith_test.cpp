// `decant eval --langsmith` as a person runs it, against a stand-in for LangSmith.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/write_file.hpp"
#include "tests/support/langsmith_server.hpp"
#include "tests/support/schema_case.hpp"

namespace decant::quality {
namespace {

using test::LangSmithServer;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class EvalForLangSmith : public testing::Test {
protected:
    EvalForLangSmith() {
        with_.put_products(20);
        write_file(
            folder() / "queries.jsonl",
            "{\"id\": \"q1\", \"text\": \"sku-3\"}\n{\"id\": \"q2\", \"text\": \"receta\", \"kind\": \"nothing\"}\n");
        write_file(folder() / "qrels.txt", "q1 0 sku-3 3\n");
    }
    const std::filesystem::path& folder() const { return with_.decant().folder(); }
    test::Outcome eval(const std::string& url, const std::vector<std::string>& more = {}) const {
        std::vector<std::string> arguments{"eval",
                                           "--queries",
                                           (folder() / "queries.jsonl").string(),
                                           "--qrels",
                                           (folder() / "qrels.txt").string(),
                                           "--strategies",
                                           "keyword",
                                           "--langsmith"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return with_.decant().run(arguments, {"LANGSMITH_ENDPOINT=" + url, "LANGSMITH_API_KEY=lsv2_key"});
    }

    test::SchemaCase with_;
};

TEST_F(EvalForLangSmith, SendsWhatItShows) {
    const LangSmithServer server;
    const test::Outcome told = eval(server.url());
    EXPECT_EQ(told.exit_code, 0) << told.told();
    EXPECT_THAT(told.out, HasSubstr("nDCG@10"));
    EXPECT_THAT(told.out, HasSubstr("LangSmith has it: the new dataset 'decant queries' (2 new examples, 0 changed)"));
    EXPECT_THAT(server.violations(), IsEmpty());
    EXPECT_THAT(server.examples(), SizeIs(2));
    EXPECT_THAT(server.experiments(), SizeIs(1));
    EXPECT_EQ(server.run_count(), 2U);
    const boost::json::value again = eval(server.url(), {"--json", "--dataset", "decant queries"}).json();
    EXPECT_EQ(again.at("langsmith").at("new_examples"), 0);
    EXPECT_THAT(server.datasets(), SizeIs(1));
    EXPECT_THAT(server.experiments(), SizeIs(2));
    EXPECT_THAT(server.violations(), IsEmpty());
}

TEST_F(EvalForLangSmith, ShowsWhatItMeasuredAlsoWhereLangSmithDoesNotTakeIt) {
    LangSmithServer server;
    server.set_fault([](const auto&) { return test::StandInAnswer{.status = 401, .body = "Invalid token"}; });
    const test::Outcome told = eval(server.url());
    EXPECT_EQ(told.exit_code, 77) << told.told();
    EXPECT_THAT(told.out, HasSubstr("nDCG@10"));
    EXPECT_THAT(told.err, HasSubstr("401"));
    EXPECT_THAT(told.err, HasSubstr("LANGSMITH_API_KEY"));
    EXPECT_THAT(told.err, testing::Not(HasSubstr("lsv2_key")));
    const test::Outcome as_json = eval(server.url(), {"--json"});
    EXPECT_EQ(as_json.exit_code, 77) << as_json.told();
    EXPECT_EQ(as_json.json().at("set").at("queries"), 2);
    EXPECT_FALSE(as_json.json().as_object().contains("langsmith"));
}

}  // namespace
}  // namespace decant::quality
