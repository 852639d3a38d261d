#include "chroma/detail/server_page.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.hpp"

namespace decant::chroma::detail {
namespace {

constexpr const char* two_records =
    R"({"ids":["b","a"],"embeddings":[[1,2.5],[-0.0,1e-42]],"documents":["d\u0000\ud83d\ude00",null],"uris":null,)"
    R"("metadatas":[{"i":1,"f":1.0,"e":1e2,"t":"x","y":true,"l":[1,-2],"n":null},null],"include":[]})";

TEST(ServerPage, SortsRecordsAndKeepsTheTypesOfTheirValues) {
    std::string body = two_records;
    ServerPage page;
    ASSERT_TRUE(page.parse(body));
    ASSERT_EQ(page.records().size(), 2U);
    const Record& first = page.records()[0];
    const Record& second = page.records()[1];
    EXPECT_EQ(first.id, "a");
    EXPECT_FALSE(first.document || first.metadata);
    EXPECT_TRUE(std::signbit(first.vector[0]));
    EXPECT_EQ(first.vector[1], 1e-42F);
    using namespace std::string_literals;
    EXPECT_EQ(second.document, "d\0\xf0\x9f\x98\x80"s);
    const auto metadata = second.metadata.value();
    ASSERT_EQ(metadata.size(), 7U);
    EXPECT_EQ(std::get<Scalar>(metadata[0].value), Scalar{std::int64_t{1}});
    EXPECT_EQ(std::get<Scalar>(metadata[1].value), Scalar{1.0});
    EXPECT_EQ(std::get<Scalar>(metadata[2].value), Scalar{100.0});
    EXPECT_EQ(std::get<Scalar>(metadata[3].value), Scalar{std::string_view{"x"}});
    EXPECT_EQ(std::get<Scalar>(metadata[4].value), Scalar{true});
    EXPECT_EQ(std::get<std::span<const Scalar>>(metadata[5].value)[1], Scalar{std::int64_t{-2}});
    EXPECT_TRUE(std::isnan(std::get<double>(std::get<Scalar>(metadata[6].value))));
}

TEST(ServerPage, RoundsToFloatOnce) {
    // Just above the middle of two floats, by less than a double sees: by way of a double it would be rounded down.
    std::string body = R"({"ids":["a"],"embeddings":[[1.00000005960464477539062500001]]})";
    ServerPage page;
    ASSERT_TRUE(page.parse(body));
    EXPECT_EQ(page.records()[0].vector[0], 1.00000011920928955078125F);
}

TEST(ServerPage, IsNotWholeWhereverItIsCut) {
    ServerPage page;
    const std::string whole = two_records;
    for (std::size_t length = 0; length < whole.size(); ++length) {
        std::string cut = whole.substr(0, length);
        bool is_taken = false;
        try {
            is_taken = page.parse(cut);
        } catch (const Error&) {
            continue;  // lists that differ in length
        }
        EXPECT_FALSE(is_taken) << cut;
    }
}

TEST(ServerPage, RefusesOtherFormsOfJson) {
    ServerPage page;
    for (std::string body :
         {R"([1])", R"({"ids":[1]})", R"({"ids":["a"],"embeddings":[]})", R"({"ids":["a"],"documents":["d","e"]})",
          R"({"ids":["a"],"embeddings":[["x"]]})", R"({"ids":["a"],"metadatas":[{"k":{}}]})"}) {
        try {
            EXPECT_FALSE(page.parse(body)) << body;
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::source_unreadable) << body;
        }
    }
}

constexpr const char* two_neighbours =
    R"({"ids":[["b","a"]],"embeddings":null,"documents":null,"uris":null,"metadatas":[[{"sku":"x"},null]],)"
    R"("distances":[[-1.19e-07,0.25]],"include":["metadatas","distances"]})";

TEST(ServerPage, KeepsTheOrderOfAnAnswerToAQuestion) {
    std::string body = two_neighbours;
    ServerPage page;
    ASSERT_TRUE(page.parse_nearest(body));
    ASSERT_EQ(page.records().size(), 2U);
    EXPECT_EQ(page.records()[0].id, "b");
    EXPECT_EQ(page.records()[0].metadata->front().key, "sku");
    EXPECT_EQ(page.records()[1].id, "a");
    EXPECT_EQ(page.distances()[0], -1.19e-07);
    EXPECT_EQ(page.distances()[1], 0.25);
    std::string records = two_records;
    ASSERT_TRUE(page.parse(records));
    EXPECT_TRUE(page.distances().empty()) << "of the answer before";
}

TEST(ServerPage, IsNoWholeAnswerToAQuestionWhereverItIsCut) {
    ServerPage page;
    const std::string whole = two_neighbours;
    for (std::size_t length = 0; length < whole.size(); ++length) {
        std::string cut = whole.substr(0, length);
        bool is_taken = false;
        try {
            is_taken = page.parse_nearest(cut);
        } catch (const Error&) {
            continue;  // lists that differ in length
        }
        EXPECT_FALSE(is_taken) << cut;
    }
}

}  // namespace
}  // namespace decant::chroma::detail
