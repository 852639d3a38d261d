#include "quality/judged_set.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"

namespace decant::quality {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const Products two_products{{"A-1", {.id = "id-a", .name = "Alpha"}},
                            {"id-a", {.id = "id-a", .name = "Alpha"}},
                            {"B-2", {.id = "id-b", .name = "Beta"}}};

template <typename Call>
std::string told(const Call& call) {
    try {
        call();
    } catch (const Error& error) {
        return error.happened();
    }
    return "nothing was thrown";
}

TEST(JudgedSet, ReadsQueriesWithWhatElseIsKnownOfThem) {
    const auto queries = read_queries(
        "\xEF\xBB\xBF{\"id\": \"q1\", \"text\": \"notebook\", \"kind\": \"category\", \"note\": 3}\r\n\n"
        "{\"id\": \"q2\", \"text\": \"auriculares\", \"language\": \"es\", \"split\": \"final\"}");
    ASSERT_EQ(queries.size(), 2U);
    EXPECT_EQ(queries[0].kind, "category");
    EXPECT_EQ(queries[1].line, 3U);
    EXPECT_EQ(queries[1].split, "final");
    EXPECT_EQ(queries[1].language, "es");
}

struct Fault {
    const char* text;
    const char* told;
};

TEST(JudgedSet, NamesTheLineOfAQueryThatIsNone) {
    for (const auto& [text, expected] : std::initializer_list<Fault>{
             {"{\"id\": \"a\", \"text\": \"t\"}\nnot json", "Line 2 of the queries is no JSON object: not json"},
             {"[1]", "Line 1 of the queries is no JSON object: [1]"},
             {"{\"text\": \"t\"}", "Line 1 of the queries has no id, or one with blanks"},
             {"{\"id\": \"a b\", \"text\": \"t\"}", "Line 1 of the queries has no id, or one with blanks"},
             {"{\"id\": \"a\", \"text\": \" \"}", "Line 1 of the queries has no text"},
             {"{\"id\": \"a\", \"text\": 5}", "Line 1 of the queries has a text that is no text"},
             {"{\"id\": \"a\", \"text\": \"t\"}\n\n{\"id\": \"a\", \"text\": \"u\"}",
              "Line 3 of the queries has the id of line 1"},
             {"\n \n", "The file of queries has none"}})
        EXPECT_THAT(told([&] { read_queries(text); }), HasSubstr(expected));
    EXPECT_THAT(told([&] { read_queries(R"({"id": "a", "text": ")" + std::string(10'001, 'x') + "\"}"); }),
                HasSubstr("has a text of more than 10000 bytes"));
}

TEST(JudgedSet, ReadsQrelsWithAnyBlanksAndCountsGradesUnderZeroAsZero) {
    const auto judgments = read_qrels("q1 0 A-1 3\nq1\t0\tB-2\t-1\r\n");
    ASSERT_EQ(judgments.size(), 2U);
    EXPECT_EQ(judgments[0].docno, "A-1");
    EXPECT_EQ(judgments[0].grade, 3);
    EXPECT_EQ(judgments[1].grade, 0);
    EXPECT_EQ(judgments[1].line, 2U);
}

TEST(JudgedSet, NamesTheLineOfAJudgmentThatIsNone) {
    for (const auto& [text, expected] : std::initializer_list<Fault>{
             {"q1 0 A-1 3\nq1 A-1 3", "Line 2 of the qrels has 3 fields instead of 4: q1 A-1 3"},
             {"q1 0 A 1 3", "has 5 fields instead of 4"},
             {"q1 0 A-1 2.5", "has a grade that is no whole number up to 10"},
             {"q1 0 A-1 11", "has a grade that is no whole number up to 10"},
             {"q1 0 A-1 99999999999", "has a grade that is no whole number up to 10"},
             {"", "The qrels hold no judgment"}})
        EXPECT_THAT(told([&] { read_qrels(text); }), HasSubstr(expected)) << text;
}

TEST(JudgedSet, CountsWhatFitsNothing) {
    const JudgedSet set = join(read_queries("{\"id\": \"q1\", \"text\": \"a\"}\n{\"id\": \"q2\", \"text\": \"b\"}"),
                               read_qrels("q1 0 A-1 3\nq1 0 GONE 2\nq9 0 A-1 1\nq9 0 B-2 1"), two_products);
    EXPECT_EQ(set.judgments_of_other_queries, 2U);
    const Coverage coverage = coverage_of(set);
    EXPECT_EQ(coverage.queries, 2U);
    EXPECT_EQ(coverage.judgments, 2U);
    EXPECT_EQ(coverage.something_to_find, 1U);
    EXPECT_THAT(coverage.unjudged_queries, ElementsAre("q2"));
    EXPECT_THAT(coverage.unknown_products, ElementsAre("GONE"));
    EXPECT_EQ(set.queries[0].grade_of("id-a"), 3);
    EXPECT_EQ(set.queries[0].grade_of("id-b"), 0);
    EXPECT_FALSE(set.queries[0].has_judged("id-b"));
}

TEST(JudgedSet, TellsNothingToFindByTheKindOrByJudgmentsWithoutUse) {
    const JudgedSet set = join(read_queries("{\"id\": \"q1\", \"text\": \"a\", \"kind\": \"nothing-to-find\"}\n"
                                            "{\"id\": \"q2\", \"text\": \"b\"}\n{\"id\": \"q3\", \"text\": \"c\"}"),
                               read_qrels("q2 0 A-1 0"), two_products);
    EXPECT_TRUE(set.queries[0].has_nothing_to_find());
    EXPECT_TRUE(set.queries[1].has_nothing_to_find());
    EXPECT_FALSE(set.queries[2].is_judged());
    EXPECT_EQ(coverage_of(set).nothing_to_find, 2U);
}

TEST(JudgedSet, RefusesAProductJudgedTwiceAlsoByItsOtherName) {
    const auto queries = read_queries("{\"id\": \"q1\", \"text\": \"a\"}");
    EXPECT_THAT(told([&] { join(queries, read_qrels("q1 0 A-1 3\nq1 0 id-a 2"), two_products); }),
                HasSubstr("Line 2 of the qrels judges product 'id-a' of query 'q1' a second time"));
    EXPECT_THAT(told([&] { join(queries, read_qrels("q1 0 GONE 3\nq1 0 GONE 3"), two_products); }),
                HasSubstr("a second time"));
}

TEST(JudgedSet, RefusesAQueryThatIsMeantToFindNothingAndHasAProductOfUse) {
    EXPECT_THAT(told([&] {
                    join(read_queries("{\"id\": \"q1\", \"text\": \"a\", \"kind\": \"nothing\"}"),
                         read_qrels("q1 0 A-1 1"), two_products);
                }),
                HasSubstr("Query 'q1' (line 1) is of kind 'nothing', but product 'A-1'"));
}

TEST(JudgedSet, KeepsTheQueriesOfASplitAndKinds) {
    const auto queries = read_queries(
        R"({"id": "q1", "text": "a", "kind": "sku", "split": "work"}
{"id": "q2", "text": "b", "kind": "typo", "split": "work"}
{"id": "q3", "text": "c", "kind": "sku", "split": "final"})");
    const auto left = [&](const Selection& selection) {
        JudgedSet set = join(queries, {}, {});
        select(set, selection);
        std::string ids;
        for (const JudgedQuery& judged : set.queries)
            ids += judged.query.id + " ";
        return ids;
    };
    EXPECT_EQ(left({}), "q1 q2 q3 ");
    EXPECT_EQ(left({.split = "work"}), "q1 q2 ");
    EXPECT_EQ(left({.kinds = {"sku", "typo"}}), "q1 q2 q3 ");
    EXPECT_EQ(left({.split = "final", .kinds = {"sku"}}), "q3 ");
    EXPECT_THAT(told([&] { left({.split = "test"}); }), HasSubstr("No query is of split 'test'"));
    EXPECT_THAT(told([&] { left({.kinds = {"price"}}); }), HasSubstr("No query is of kind 'price'"));
    EXPECT_THAT(told([&] { left({.split = "final", .kinds = {"typo"}}); }), HasSubstr("No query is of this split"));
}

}  // namespace
}  // namespace decant::quality
