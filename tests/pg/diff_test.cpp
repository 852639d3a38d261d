#include "tests/support/copy_case.hpp"

namespace decant::test {
namespace {

using testing::HasSubstr;

std::uint64_t count_at(const boost::json::value& report, std::string_view kind, std::string_view name = "count") {
    return report.at(kind).at(name).to_number<std::uint64_t>();
}

TEST(Diff, FindsNothingAfterACopy) {
    CopyCase with;
    with.source().put_samples(0, 120);
    with.copied();
    const Outcome equal = with.decant().run({"diff", "products"});
    EXPECT_EQ(equal.exit_code, 0) << equal.told();
    EXPECT_THAT(equal.out, HasSubstr("are equal: 120 rows"));
}

TEST(Diff, TellsWhatOnlyOneSideHasAndWhichColumnsDiffer) {
    CopyCase with;
    with.source().put_samples(0, 20);
    with.copied();
    with.source().put_samples(20, 3);    // only in the source
    with.source().put_samples(5, 1, 1);  // all but the id is another
    with.exec("INSERT INTO products SELECT 'mine', document, metadata, embedding FROM products LIMIT 1");
    with.exec("UPDATE products SET metadata = metadata || '{\"price\": 1.0}' WHERE id = 'record-000007'");
    with.exec("UPDATE products SET document = NULL WHERE id = 'record-000008'");

    const Outcome differs = with.decant().run({"diff", "products", "--json", "--samples", "2"});
    ASSERT_EQ(differs.exit_code, 1) << differs.told();
    const boost::json::value report = differs.json();
    EXPECT_FALSE(report.at("equal").as_bool());
    EXPECT_EQ(count_at(report, "only_in_source"), 3U);
    EXPECT_EQ(report.at("only_in_source").at("ids"), boost::json::value({"record-000020", "record-000021"}));
    EXPECT_EQ(count_at(report, "only_in_table"), 1U);
    EXPECT_EQ(count_at(report, "differing"), 3U);
    EXPECT_EQ(count_at(report, "differing", "embedding"), 1U);
    EXPECT_EQ(count_at(report, "differing", "document"), 2U);
    EXPECT_EQ(count_at(report, "differing", "metadata"), 2U);
    EXPECT_EQ(report.at("differing").at("records").at(1).at("columns"), "metadata");

    const Outcome text = with.decant().run({"diff", "products"});
    EXPECT_THAT(text.out, HasSubstr("only in the table   1: mine"));
    EXPECT_THAT(text.out, HasSubstr("record-000007 (metadata), record-000008 (document)"));
}

TEST(Diff, LeavesOutWhatNoRowCanHold) {
    CopyCase with;
    with.source().put_samples(0, 3);
    with.source().put({{.id = "odd", .vector = std::vector<float>(32, 1), .document = std::string{"a\0b", 3}}});
    EXPECT_EQ(with.copy().exit_code, 1);
    const Outcome equal = with.decant().run({"diff", "products", "--json"});
    EXPECT_EQ(equal.exit_code, 0) << equal.told();
    EXPECT_EQ(equal.json().at("rejected"), 1);
}

TEST(Diff, WantsATableThatDecantMade) {
    const CopyCase with;
    with.exec("CREATE TABLE mine (id text)");
    const Outcome refused = with.decant().run({"diff", "mine"});
    EXPECT_EQ(refused.exit_code, 65) << refused.told();
    EXPECT_THAT(refused.err, HasSubstr("decant runs list"));
}

}  // namespace
}  // namespace decant::test
