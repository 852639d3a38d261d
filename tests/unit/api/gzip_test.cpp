#include "api/gzip.hpp"

#include <gtest/gtest.h>

namespace decant::api {
namespace {

TEST(Gzip, IsTakenByItsNameOrByAnyUnlessItsWeightIsZero) {
    for (const std::string_view taken : {"gzip", "GZip", "br;q=1, gzip;q=0.5", "gzip;q=0.001", "*", "br, *;q=0.1",
                                         "gzip, *;q=0", "gzip ; q=1", "identity;q=0, gzip"})
        EXPECT_TRUE(takes_gzip(taken)) << taken;
    for (const std::string_view refused : {"", "br", "identity", "gzip;q=0", "gzip; q=0.000", "gzip;Q=0.0", "*;q=0",
                                           "gzip;q=0, *", "br, gzip ;q=0", "notgzip", ";"})
        EXPECT_FALSE(takes_gzip(refused)) << refused;
}

}  // namespace
}  // namespace decant::api
