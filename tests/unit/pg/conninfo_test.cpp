#include "pg/conninfo.hpp"

#include <gtest/gtest.h>

namespace decant::pg {
namespace {

TEST(Conninfo, ReadsAUrl) {
    const auto read = parse_conninfo("postgresql://enzo:s%20x@db.example:6432/aynux?sslmode=require");
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, (Keywords{{"user", "enzo"},
                               {"password", "s x"},
                               {"host", "db.example"},
                               {"port", "6432"},
                               {"dbname", "aynux"},
                               {"sslmode", "require"}}));
}

TEST(Conninfo, ReadsTheUrlOfSqlalchemy) {
    const auto read = parse_conninfo("postgresql+asyncpg://enzo@localhost/aynux");
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, (Keywords{{"user", "enzo"}, {"host", "localhost"}, {"dbname", "aynux"}}));
}

TEST(Conninfo, ReadsBackWhatItWrites) {
    const Keywords keywords{{"host", "/run/o'neil \\ co"}, {"password", "p w='"}};
    EXPECT_EQ(parse_conninfo(conninfo_of(keywords)), keywords);
}

TEST(Conninfo, RefusesWhatIsNeitherUrlNorPairs) {
    EXPECT_EQ(parse_conninfo("mysql://enzo:secret@localhost/aynux"), std::nullopt);
}

TEST(Conninfo, ShowsAnAddressWithoutItsPassword) {
    EXPECT_EQ(shown_address(*parse_conninfo("postgresql://enzo:secret@db:6432/aynux")),
              "postgresql://enzo@db:6432/aynux");
}

TEST(Conninfo, ShowsAnAddressThatLibpqReadsBack) {
    for (const char* text : {"postgresql://a%40b@db:6432/my%20shop?sslmode=require", "postgresql://db:5432/aynux",
                             "host=/run/socket port=5433 user=decant dbname=aynux", "host=one,two port=1,2"}) {
        const auto keywords = parse_conninfo(text);
        ASSERT_TRUE(keywords) << text;
        EXPECT_EQ(parse_conninfo(shown_address(*keywords)), keywords) << shown_address(*keywords);
    }
}

}  // namespace
}  // namespace decant::pg
