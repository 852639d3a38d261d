#include "core/base64.hpp"

#include <gtest/gtest.h>

#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <string>

#include "core/sha256.hpp"

namespace decant {
namespace {

TEST(Base64, IsAsInTheRfc) {
    EXPECT_EQ(base64("f"), "Zg==");
    EXPECT_EQ(base64("fo"), "Zm8=");
    EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
    EXPECT_EQ(base64("\xfb\xff"), "+/8=");
    EXPECT_EQ(base64url("\xfb\xff"), "-_8");
    EXPECT_EQ(base64url(""), "");
}

TEST(Base64, IsDecodedOnlyFromWhatItGives) {
    EXPECT_EQ(decode_base64url("Zm8"), "fo");
    EXPECT_EQ(decode_base64url(""), "");
    for (const char* text :
         {"Z", "A", "AAAAA", "Zg==", "Zm8=", "Zm9vY", "+/8", "Zm 8", "Zm8\n", "Zh", "Zm9vYh", "Zm8.", "\xc3\xa9"})
        EXPECT_EQ(decode_base64url(text), std::nullopt) << text;
}

RC_GTEST_PROP(Base64Property, GivesTheBytesBack, (const std::string& bytes)) {
    RC_ASSERT(decode_base64url(base64url(bytes)) == bytes);
}

RC_GTEST_PROP(Base64Property, HasOneTextForTheBytes, (const std::string& text)) {
    if (const auto bytes = decode_base64url(text)) RC_ASSERT(base64url(*bytes) == text);
}

// RFC 4231, test cases 2 and 6.
TEST(Hmac, IsAsInTheRfc) {
    EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(hex(hmac_sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")),
              "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Secrets, AreTheSameOnlyInEveryByte) {
    const Digest digest = sha256("a secret");
    EXPECT_TRUE(is_same_secret(digest, sha256("a secret")));
    for (std::size_t at = 0; at < digest.size(); ++at) {
        Digest other = digest;
        other[at] ^= std::byte{1};
        EXPECT_FALSE(is_same_secret(digest, other)) << at;
    }
}

}  // namespace
}  // namespace decant
