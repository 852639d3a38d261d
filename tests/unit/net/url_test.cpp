#include "net/url.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"

namespace decant::net {
namespace {

TEST(Url, KeepsUserAndPasswordOutOfItsText) {
    const Url url = parse_url("https://ana:p%40ss@chroma.example:8443/base/", "it");
    EXPECT_EQ(url.text(), "https://chroma.example:8443/base");
    EXPECT_EQ(url.user, "ana");
    EXPECT_EQ(url.password, "p@ss");
}

TEST(Url, ReadsAnAddressOfIpVersion6) {
    const Url url = parse_url("http://[::1]:8000", "it");
    EXPECT_EQ(url.text(), "http://[::1]:8000");
    EXPECT_TRUE(url.is_loopback());
}

TEST(Url, RefusesWhatIsNoneWithoutRepeatingIt) {
    for (const char* text : {"http://ana:secret@host:99999", "ftp://ana:secret@host", "http://", "host:8000"}) {
        try {
            parse_url(text, "The source");
            ADD_FAILURE() << text;
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::request_invalid);
            EXPECT_THAT(error.happened() + error.remedy(), testing::Not(testing::HasSubstr("secret")));
        }
    }
}

TEST(Url, EncodesASegment) {
    EXPECT_EQ(url_segment("inquilino ñ/1"), "inquilino%20%C3%B1%2F1");
}

TEST(Url, DecodesEscapesAndLeavesWhatIsNone) {
    EXPECT_EQ(percent_decoded(url_segment("inquilino ñ/1")), "inquilino ñ/1");
    EXPECT_EQ(percent_decoded("a%2fb+%C3%B1"), "a/b+ñ");
    EXPECT_EQ(percent_decoded("100%, %4, %4g, %zz, %"), "100%, %4, %4g, %zz, %");
}

}  // namespace
}  // namespace decant::net
