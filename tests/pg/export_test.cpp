#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <memory>

#include "tests/support/copy_case.hpp"
#include "tests/support/fake_chroma.hpp"

namespace decant::test {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t records = 250;

std::uint64_t number(const boost::json::object& report, const char* name) {
    return report.at(name).to_number<std::uint64_t>();
}

/// A copied table, products of 32 dimensions, and a server that has nothing of it yet.
class Export : public testing::TestWithParam<FakeChroma::Api> {
protected:
    Export() {
        with_.source().put_samples(0, records);
        with_.copied({"--index", "none"});
    }
    ~Export() override { EXPECT_EQ(server_.violations(), std::vector<std::string>{}); }

    Outcome to_server(const std::vector<std::string>& more = {}) const {
        std::vector<std::string> arguments{"export", "products", "--to", server_.url(), "--json"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return with_.decant().run(arguments);
    }

    /// Of an export that is expected to end with exit 0.
    boost::json::object exported() const {
        const Outcome outcome = to_server();
        EXPECT_EQ(outcome.exit_code, 0) << outcome.told();
        return outcome.json().as_object();
    }

    /// The server's collection copied into a table of its own.
    std::string content_of_server() const {
        const Outcome copied = with_.decant().run({"copy", "--from", server_.url(), "--collection", "products", "--to",
                                                   "back", "--index", "none", "--prune"});
        EXPECT_EQ(copied.exit_code, 0) << copied.told();
        return with_.content("back");
    }

    CopyCase with_;
    FakeChroma server_{GetParam()};
};

TEST_P(Export, MakesACollectionOfTheSpaceThatTheTableWasCopiedWithAndHoldsEveryRow) {
    server_.add_collection("another");
    const auto report = exported();
    EXPECT_TRUE(report.at("collection").at("is_new").as_bool());
    EXPECT_EQ(number(report, "added"), records);
    EXPECT_EQ(content_of_server(), with_.content());
    EXPECT_THAT(with_.decant().run({"inspect", server_.url()}).out, testing::ContainsRegex("products +250 +32  l2"));
}

TEST_P(Export, WritesNothingTheSecondTimeAndOnlyWhatChangedTheThird) {
    server_.add_collection("another");
    exported();
    EXPECT_EQ(number(exported(), "unchanged"), records);
    with_.exec("UPDATE products SET metadata = metadata || '{\"new\": 2.0}' WHERE id = (SELECT min(id) FROM products)");
    with_.exec("INSERT INTO products SELECT 'own', NULL, NULL, embedding FROM products LIMIT 1");
    const auto report = exported();
    EXPECT_EQ(number(report, "added"), 1U);
    EXPECT_EQ(number(report, "changed"), 1U);
    EXPECT_EQ(content_of_server(), with_.content());
}

TEST_P(Export, TakesAwayWhatARecordHasNoMoreAndLeavesOtherRecords) {
    server_.add_collection("another");
    exported();
    with_.exec(
        "UPDATE products SET document = NULL, metadata = '{\"only\": [1, 2]}' WHERE id IN "
        "(SELECT id FROM products ORDER BY id LIMIT 2)");
    with_.exec("DELETE FROM products WHERE id = (SELECT max(id) FROM products)");
    const auto report = exported();
    EXPECT_EQ(number(report, "changed"), 2U);
    EXPECT_EQ(number(report, "others"), 1U);
    content_of_server();
    with_.exec("DELETE FROM back WHERE id NOT IN (SELECT id FROM products)");
    EXPECT_EQ(with_.content("back"), with_.content());
}

TEST_P(Export, TellsAnIntegerFromAFloatAndTheSignOfAZero) {
    server_.add_collection("another");
    const std::string zero = "'[" + std::string{"0,"} + "' || repeat('1,', 30) || '1]'";
    with_.exec("UPDATE products SET metadata = '{\"n\": 0, \"list\": [0, 0]}', embedding = (" + zero + ")::vector");
    exported();
    with_.exec("UPDATE products SET metadata = '{\"n\": 0.0, \"list\": [0, 0]}' WHERE id = 'record-000001'");
    with_.exec("UPDATE products SET metadata = '{\"n\": 0, \"list\": [0.0, 0.0]}' WHERE id = 'record-000002'");
    with_.exec(
        "UPDATE products SET embedding = replace(embedding::text, '[0', '[-0')::vector WHERE id = 'record-000003'");
    EXPECT_EQ(number(exported(), "changed"), 3U);
    EXPECT_EQ(content_of_server(), with_.content());
}

TEST_P(Export, NamesEachRowThatChromaCannotHoldAndWritesTheOthers) {
    server_.add_collection("another");
    with_.exec(
        "INSERT INTO products SELECT 'bad ' || v.n, v.d, v.m::jsonb, CASE WHEN n < 7 THEN e.embedding END FROM "
        "(VALUES (1, NULL, '{\"a\": {}}'), (2, NULL, '{\"a\": null}'), (3, NULL, '{\"a\": [1, \"b\"]}'), "
        "(4, NULL, '{\"a\": 9223372036854775808}'), (5, NULL, '{\"a\": 0.12345678901234567891}'), "
        "(6, 'refuse me', '{}'), (7, NULL, NULL)) v(n, d, m), (SELECT embedding FROM products LIMIT 1) e");
    const Outcome outcome = to_server();
    EXPECT_EQ(outcome.exit_code, 1) << outcome.told();
    const auto report = outcome.json().as_object();
    EXPECT_EQ(number(report, "added"), records);
    EXPECT_EQ(report.at("refused").as_array().size(), 7U);
    EXPECT_EQ(report.at("differing").as_array().size(), 0U);
    EXPECT_THAT(outcome.out,
                HasSubstr(R"("id":"bad 6","reason":"the server answers 422: such a document is not taken")"));
}

TEST_P(Export, FindsWhatAServerDidNotKeep) {
    server_.add_collection("another");
    server_.set_fault([lost = std::make_shared<bool>(false)](const StandInRequest& request) {
        const bool is_first = request.target.find("/upsert") != std::string::npos && !std::exchange(*lost, true);
        return is_first ? std::optional{StandInAnswer{.body = "{}"}} : std::nullopt;
    });
    const Outcome outcome = to_server();
    EXPECT_EQ(outcome.exit_code, 1) << outcome.told();
    EXPECT_EQ(outcome.json().at("differing").as_array().size(), 100U);
    EXPECT_EQ(number(exported(), "added"), 100U);
}

TEST_P(Export, TouchesNoCollectionOfAnotherSpaceOrDimension) {
    server_.add_collection("products");
    const Outcome other_space = to_server();
    EXPECT_EQ(other_space.exit_code, 75) << other_space.told();
    EXPECT_THAT(other_space.err,
                HasSubstr("Collection 'products' has the space cosine, public.products is searched by l2"));
    const Outcome other_dimension = to_server({"--space", "cosine"});
    EXPECT_EQ(other_dimension.exit_code, 65) << other_dimension.told();
    EXPECT_THAT(other_dimension.err, HasSubstr("holds 4-d vectors"));
}

INSTANTIATE_TEST_SUITE_P(Servers, Export, testing::Values(FakeChroma::Api::v1, FakeChroma::Api::v2),
                         [](const auto& each) { return each.param == FakeChroma::Api::v1 ? "v1" : "v2"; });

TEST(ExportToFile, HoldsEveryValueOfEveryRowBitForBit) {
    CopyCase with;
    with.source().put_samples(0, records);
    with.copied();
    ASSERT_EQ(with.decant().run({"export", "products", "--to", "out.jsonl"}).exit_code, 0);
    pg::Connection db = with.open();
    db.exec("CREATE TABLE lines (j json)");
    std::ifstream file{with.decant().folder() / "out.jsonl"};
    for (std::string line; std::getline(file, line);)
        db.query("INSERT INTO lines VALUES ($1)", {line});
    db.exec("CREATE TABLE back (id text COLLATE \"C\", document text, metadata jsonb, embedding vector(32))");
    db.exec(
        "INSERT INTO back SELECT j ->> 'id', j ->> 'document', CASE json_typeof(j -> 'metadata') WHEN 'object' "
        "THEN (j -> 'metadata')::jsonb END, (j ->> 'embedding')::vector FROM lines");
    EXPECT_EQ(with.content("back"), with.content());
}

}  // namespace
}  // namespace decant::test
