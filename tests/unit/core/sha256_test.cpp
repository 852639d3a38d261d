#include "core/sha256.hpp"

#include <gtest/gtest.h>

namespace decant {
namespace {

// The vectors of FIPS 180-4's examples.
TEST(Sha256, AgreesWithTheStandardsExamples) {
    EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, GivesTheSameDigestHoweverTheBytesAreCut) {
    Sha256 hash;
    hash.update("a");
    hash.update("");
    hash.update("bc");
    EXPECT_EQ(hash.finish(), sha256("abc"));
}

TEST(Sha256, StartsAnewAfterFinish) {
    Sha256 hash;
    hash.update("something");
    hash.finish();
    hash.update("abc");
    EXPECT_EQ(hash.finish(), sha256("abc"));
    EXPECT_EQ(hash.finish(), sha256(""));
}

}  // namespace
}  // namespace decant
