#include "api/shape.hpp"

#include <boost/json/parse.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"

namespace decant::api {
namespace {

using testing::HasSubstr;

const Shape inner{.name = "Inner", .fields = {{.name = "low", .type = FieldType::number, .least = 0}}};
const Shape outer{.name = "Outer",
                  .fields = {{.name = "query", .required = true, .least = 1, .most = 5, .not_blank = true},
                             {.name = "limit", .type = FieldType::integer, .least = 1, .most = 100, .fallback = 10},
                             {.name = "kind", .choices = {"a", "b"}, .nullable = true},
                             {.name = "id", .type = FieldType::uuid},
                             {.name = "ids", .type = FieldType::texts, .most = 2},
                             {.name = "flag", .type = FieldType::boolean, .fallback = false},
                             {.name = "inner", .type = FieldType::object, .shape = &inner}}};

json::object parsed(std::string_view text) {
    return json::parse({text.data(), text.size()}).as_object();
}

struct Refused {
    std::string_view body;
    ErrorCode code;
    std::string_view names;
};

class ShapeRefusal : public testing::TestWithParam<Refused> {};

TEST_P(ShapeRefusal, NamesTheMemberByItsPointer) {
    try {
        checked(outer, parsed(GetParam().body));
        FAIL() << "taken: " << GetParam().body;
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), GetParam().code) << error.happened();
        EXPECT_THAT(error.happened(), testing::StartsWith(std::string{GetParam().names} + " "));
    }
}

constexpr auto malformed = ErrorCode::request_malformed;
constexpr auto invalid = ErrorCode::request_invalid;

INSTANTIATE_TEST_SUITE_P(Bodies, ShapeRefusal,
                         testing::Values(Refused{R"({})", malformed, "/query"},
                                         Refused{R"({"query": 1})", malformed, "/query"},
                                         Refused{R"({"query": null})", malformed, "/query"},
                                         Refused{R"({"query": ""})", invalid, "/query"},
                                         Refused{R"({"query": "ñññññ-"})", invalid, "/query"},
                                         Refused{R"({"query": " \t\n"})", invalid, "/query"},
                                         Refused{R"({"query": "a\u0000"})", malformed, "/query"},
                                         Refused{R"({"query": "a", "other": 1})", malformed, "/other"},
                                         Refused{R"({"query": "a", "limit": "10"})", malformed, "/limit"},
                                         Refused{R"({"query": "a", "limit": 1.5})", malformed, "/limit"},
                                         Refused{R"({"query": "a", "limit": 0})", invalid, "/limit"},
                                         Refused{R"({"query": "a", "limit": 18446744073709551615})", invalid, "/limit"},
                                         Refused{R"({"query": "a", "limit": true})", malformed, "/limit"},
                                         Refused{R"({"query": "a", "kind": "c"})", invalid, "/kind"},
                                         Refused{R"({"query": "a", "id": "7"})", malformed, "/id"},
                                         Refused{R"({"query": "a", "ids": ["x", 1]})", malformed, "/ids/1"},
                                         Refused{R"({"query": "a", "ids": ["x", "y", "z"]})", invalid, "/ids"},
                                         Refused{R"({"query": "a", "flag": "true"})", malformed, "/flag"},
                                         Refused{R"({"query": "a", "inner": []})", malformed, "/inner"},
                                         Refused{R"({"query": "a", "inner": {"low": -1}})", invalid, "/inner/low"},
                                         Refused{R"({"query": "a", "inner": {"high": 1}})", malformed, "/inner/high"}));

TEST(Shape, FillsInWhatIsNotGiven) {
    EXPECT_EQ(checked(outer, parsed(R"({"query": "ñandú", "kind": null})")),
              parsed(R"({"query": "ñandú", "limit": 10, "kind": null, "flag": false})"));
}

TEST(Shape, TakesAWholeNumberWithAPointForAnInteger) {
    EXPECT_EQ(checked(outer, parsed(R"({"query": "a", "limit": 20.0})")).at("limit"), json::value(20));
}

TEST(Shape, ReadsAQuery) {
    EXPECT_EQ(checked_query(outer, "query=a+b%C3%B1&limit=7&flag=true"),
              parsed(R"({"query": "a bñ", "limit": 7, "flag": true})"));
}

TEST(Shape, RefusesWhatAQueryCannotMean) {
    for (const std::string_view query : {"query=a&query=b", "query=a&limit=", "query=a&limit=1x", "query=a&flag=1",
                                         "query=a&other=1", "query=%ff", "query=a&limit=1e2"})
        EXPECT_THROW(checked_query(outer, query), Error) << query;
}

TEST(Shape, TakesOneTextWhereItTakesSeveral) {
    const Shape shape{.name = "Input",
                      .fields = {{.name = "input", .type = FieldType::text_or_texts, .least = 1, .most = 2}}};
    for (const std::string_view taken : {R"({"input": "a"})", R"({"input": ["a"]})", R"({"input": ["a", "b"]})"})
        EXPECT_EQ(checked(shape, parsed(taken)), parsed(taken));
    for (const std::string_view refused :
         {R"({"input": 1})", R"({"input": []})", R"({"input": ["a", "b", "c"]})", R"({"input": ["a", 1]})",
          R"({"input": "a\u0000"})", R"({"input": null})", R"({"input": {}})"})
        EXPECT_THROW(checked(shape, parsed(refused)), Error) << refused;
    EXPECT_EQ(schema_of(shape.fields.front()), parsed(R"({"anyOf": [{"type": "string", "minLength": 1},
        {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 2}]})"));
}

TEST(Shape, IsAJsonSchemaThatForbidsOtherMembers) {
    const json::object schema = schema_of(outer);
    EXPECT_EQ(schema.at("additionalProperties"), json::value(false));
    EXPECT_EQ(schema.at("required"), json::value(json::array{"query"}));
    const json::object& properties = schema.at("properties").as_object();
    EXPECT_EQ(properties.at("limit"),
              json::value(parsed(R"({"type": "integer", "minimum": 1, "maximum": 100, "default": 10})")));
    EXPECT_EQ(properties.at("kind"), json::value(parsed(R"({"type": ["string", "null"], "enum": ["a", "b", null]})")));
    EXPECT_EQ(properties.at("inner"), json::value(parsed(R"({"$ref": "#/components/schemas/Inner"})")));
}

}  // namespace
}  // namespace decant::api
