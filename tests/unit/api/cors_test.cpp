#include "api/cors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"

namespace decant::api {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Key;
using testing::Pair;

TEST(Cors, IsOffUnlessOriginsAreNamed) {
    const Cors cors;
    EXPECT_FALSE(cors.allows("https://shop.example"));
    EXPECT_FALSE(cors.allows(""));
    EXPECT_THAT(cors.response_headers("https://shop.example"), IsEmpty());
    EXPECT_THAT(cors.preflight_headers("https://shop.example", "GET"), IsEmpty());
}

TEST(Cors, AllowsExactlyTheOriginsThatAreNamed) {
    const Cors cors{"https://shop.example, http://localhost:3000"};
    EXPECT_TRUE(cors.allows("https://shop.example"));
    EXPECT_TRUE(cors.allows("http://localhost:3000"));
    for (const char* origin : {"http://shop.example", "https://shop.example:444", "https://shop.example.evil",
                               "https://evil-shop.example", "https://shop.exampl", "null", "", "*"})
        EXPECT_FALSE(cors.allows(origin)) << origin;
}

TEST(Cors, NamesTheOriginToABrowserAndTellsCachesThatItMatters) {
    const Cors cors{"https://shop.example"};
    EXPECT_THAT(cors.response_headers("https://shop.example"),
                testing::AllOf(Contains(Pair("Vary", "Origin")),
                               Contains(Pair("Access-Control-Allow-Origin", "https://shop.example")),
                               Contains(Pair("Access-Control-Expose-Headers", testing::HasSubstr("Retry-After"))),
                               testing::Not(Contains(Key("Access-Control-Allow-Credentials")))));
    EXPECT_THAT(cors.response_headers("https://evil.example"), ElementsAre(Pair("Vary", "Origin")));
    EXPECT_THAT(cors.response_headers(""), ElementsAre(Pair("Vary", "Origin")));
}

TEST(Cors, AnswersAPreflightWithTheRoutesMethods) {
    const Cors cors{"https://shop.example"};
    EXPECT_THAT(cors.preflight_headers("https://shop.example", "GET, POST"),
                testing::AllOf(Contains(Pair("Access-Control-Allow-Origin", "https://shop.example")),
                               Contains(Pair("Access-Control-Allow-Methods", "GET, POST")),
                               Contains(Pair("Access-Control-Allow-Headers", testing::HasSubstr("Authorization"))),
                               testing::Not(Contains(Key("Access-Control-Allow-Credentials")))));
    EXPECT_THAT(cors.preflight_headers("https://evil.example", "GET"), ElementsAre(Pair("Vary", "Origin")));
}

TEST(Cors, RefusesWhatNoBrowserSends) {
    for (const char* origins :
         {"*", "https://*.example", "shop.example", "https://shop.example/", "https://Shop.example", "https://",
          "https://a@b", "null", "https://a https://b", "ftp://a"}) {
        try {
            const Cors cors{origins};
            FAIL() << origins;
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::config_invalid) << origins;
        }
    }
}

}  // namespace
}  // namespace decant::api
