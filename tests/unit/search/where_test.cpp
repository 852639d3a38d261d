#include "search/where.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "core/error.hpp"
#include "search/where_sql.hpp"

namespace decant::search {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Optional;
using testing::SizeIs;

Condition condition(std::string_view json) {
    return condition_of(std::vector{parse_where(json)});
}
Condition document_condition(std::string_view json) {
    return condition_of(std::vector{parse_where_document(json)});
}

TEST(Where, WritesEqualityAsContainmentThatAGinIndexServes) {
    const Condition brand = condition(R"({"brand": "So\"ny"})");
    EXPECT_EQ(brand.sql, "(t.metadata @> $1::jsonb)");
    EXPECT_THAT(brand.params, ElementsAre(Optional(std::string{R"({"brand":"So\"ny"})"})));
    EXPECT_THAT(condition(R"({"on": {"$eq": true}})").params, ElementsAre(Optional(std::string{R"({"on":true})"})));
    EXPECT_THAT(condition(R"({"n": 3.0})").params, ElementsAre(Optional(std::string{R"({"n":3})"})));
    EXPECT_THAT(condition(R"({"tags": {"$contains": "a"}})").params,
                ElementsAre(Optional(std::string{R"({"tags":["a"]})"})));
}

TEST(Where, PutsNoValueAndNoKeyIntoTheStatement) {
    const std::string attack = "'; DROP TABLE x; --";
    for (const std::string filter : {R"({"KEY": "VALUE"})", R"({"KEY": {"$ne": "VALUE"}})", R"({"KEY": {"$gt": 3.5}})",
                                     R"({"KEY": {"$in": ["VALUE", "b"]}})",
                                     R"({"KEY": {"$nin": [12345678901234567, 2]}})", R"({"KEY": {"$not_contains": 7}})",
                                     R"({"chroma:document": "VALUE"})", R"({"#document": {"$contains": "VALUE"}})"}) {
        std::string text = filter;
        for (const char* word : {"KEY", "VALUE"}) {
            if (const auto at = text.find(word); at != std::string::npos) text.replace(at, std::strlen(word), attack);
        }
        const Condition bound = condition(text);
        EXPECT_THAT(bound.sql, Not(HasSubstr("DROP"))) << text;
        EXPECT_THAT(bound.params, Not(IsEmpty())) << text;
    }
}

TEST(Where, ComparesAFloatCutWithIntegersAsChromaDoes) {
    const Condition bound = condition(R"({"n": {"$gt": -3.5}})");
    EXPECT_THAT(bound.params,
                ElementsAre(Optional(std::string{"n"}), Optional(std::string{"-3.5"}), Optional(std::string{"-3"})));
}

TEST(Where, ComparesAnIntegerRoundedWithFloatsAsChromaDoes) {
    const Condition bound = condition(R"({"n": {"$lte": 9007199254740993}})");
    EXPECT_THAT(bound.params, ElementsAre(Optional(std::string{"n"}), Optional(std::string{"9007199254740992"}),
                                          Optional(std::string{"9007199254740993"})));
}

TEST(Where, TakesALongListAsOneParameter) {
    std::string list;
    for (int i = 0; i < 100; ++i)
        list += (i > 0 ? "," : "") + std::string{"\"v"} + std::to_string(i) + "\"";
    const Condition bound = condition(R"({"k": {"$in": [)" + list + "]}}");
    EXPECT_THAT(bound.params, SizeIs(2));
    EXPECT_THAT(bound.sql, HasSubstr("= ANY ($2::jsonb[])"));
}

TEST(Where, TakesWildcardsOfDocumentsForWhatTheyAre) {
    EXPECT_THAT(document_condition(R"({"$contains": "100%_\\"})").params,
                ElementsAre(Optional(std::string{R"(%100\%\_\\%)"})));
}

TEST(Where, FindsNothingForATextThatPostgresqlCannotHold) {
    EXPECT_EQ(condition(R"({"k": "a\u0000"})").sql, "false");
    EXPECT_EQ(condition(R"({"k\u0000": 1})").sql, "false");
    EXPECT_EQ(document_condition(R"({"$not_contains": "a\u0000"})").sql, "(false) IS NOT TRUE");
}

TEST(Where, NumbersParametersFromWhereItIsTold) {
    const std::vector<Where> filters{parse_where(R"({"a": "b"})"), parse_where_document(R"({"$contains": "x"})")};
    EXPECT_EQ(condition_of(filters, 4).sql, "(t.metadata @> $4::jsonb) AND t.document LIKE $5::text");
    EXPECT_EQ(condition_of({}).sql, "true");
}

struct Refusal {
    const char* name;
    const char* filter;
    const char* place;  ///< how the message begins
    const char* remedy;
    bool of_document = false;
};

class RefusedFilter : public testing::TestWithParam<Refusal> {};

TEST_P(RefusedFilter, NamesThePlaceAndWhatMayStandThere) {
    const Refusal& refusal = GetParam();
    try {
        refusal.of_document ? parse_where_document(refusal.filter) : parse_where(refusal.filter);
        FAIL() << "taken";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::request_invalid);
        EXPECT_THAT(error.happened(), testing::StartsWith(refusal.place));
        EXPECT_THAT(error.remedy(), HasSubstr(refusal.remedy));
    }
}

INSTANTIATE_TEST_SUITE_P(
    Each, RefusedFilter,
    testing::Values(
        Refusal{"NoJson", R"({"a":)", "where is no JSON at byte 5", "single quotes"},
        Refusal{"TwoDocuments", "{} {}", "where is no JSON at byte 3", "one JSON document"},
        Refusal{"NoObject", "[1]", "where: [1] is no object", "$and"},
        Refusal{"NoMember", "{}", "where: an object of 0 members", "$and"},
        Refusal{"TwoMembers", R"({"a": 1, "b": 2})", "where: an object of 2 members", "$and"},
        Refusal{"SameMemberTwice", R"({"a": 1, "a": 2})", "where: an object of 2 members", "$and"},
        Refusal{"TwoOperators", R"({"a": {"$gt": 1, "$lt": 2}})", "where, at /a: an object of 2", "join them"},
        Refusal{"UnknownOperator", R"({"a/b~": {"$like": 1}})", "where, at /a~1b~0/$like: '$like'", "$not_contains"},
        Refusal{"OperatorAsKey", R"({"$eq": 1})", "where, at /$eq: '$eq' is no key", "KEY"},
        Refusal{"OnePart", R"({"$and": [{"a": 1}]})", "where, at /$and: ", "Leave $and out"},
        Refusal{"Nested", R"({"$or": [{"a": 1}, {"$and": [{"b": 1}, {"c": null}]}]})",
                "where, at /$or/1/$and/1/c: null", "a string, a number"},
        Refusal{"EmptyList", R"({"a": {"$in": []}})", "where, at /a/$in: [] is no list", "at least one"},
        Refusal{"MixedList", R"({"a": {"$nin": [1, 2.0]}})", "where, at /a/$nin/1: 2", "All values"},
        Refusal{"OrderOfTexts", R"({"a": {"$gte": "b"}})", "where, at /a/$gte: \"b\" is no number", "Only numbers"},
        Refusal{"TooLargeInteger", R"({"a": 9223372036854775808})", "where, at /a: 9223372036854775808",
                "decimal point"},
        Refusal{"TooLargeReal", R"({"a": 1e999})", "where, at /a: a number", "1.79e308"},
        Refusal{"DocumentByEquality", R"({"#document": "a"})", "where, at /#document: ", "$regex"},
        Refusal{"EmptyText", R"({"$contains": ""})", "where_document, at /$contains: the text is empty",
                "one character", true},
        Refusal{"NoText", R"({"$and": [{"$contains": "a"}, {"$regex": 3}]})", "where_document, at /$and/1/$regex: 3",
                "with a text", true},
        Refusal{"MetadataOperator", R"({"$eq": "a"})", "where_document, at /$eq: '$eq'", "$not_regex", true},
        Refusal{"BadExpression", R"({"$regex": "(a"})", "where_document, at /$regex: a group", "\\(", true}),
    [](const auto& one) { return one.param.name; });

TEST(Where, HoldsFiltersToTheirBounds) {
    std::string deep;
    for (int i = 0; i < 20; ++i)
        deep += R"({"$and": [{"a": 1}, )";
    EXPECT_THROW(parse_where(deep), Error);
    std::string wide = R"({"$or": [{"a": 1})";
    for (int i = 0; i < 1'000; ++i)
        wide += R"(, {"a": 1})";
    EXPECT_THROW(parse_where(wide + "]}"), Error);
    EXPECT_THROW(parse_where(std::string(2'000'000, ' ')), Error);
}

}  // namespace
}  // namespace decant::search
