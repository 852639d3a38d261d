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
    const Keywords keywords{{"host", "/tmp/o'neil \\ co"}, {"password", "p w='"}};
    EXPECT_EQ(parse_conninfo(conninfo_of(keywords)), keywords);
}

TEST(Conninfo, RefusesWhatIsNeitherUrlNorPairs) {
    EXPECT_EQ(parse_conninfo("mysql://enzo:secret@localhost/aynux"), std::nullopt);
}

TEST(Conninfo, ShowsAnAddressWithoutItsPassword) {
    EXPECT_EQ(shown_address(*parse_conninfo("postgresql://enzo:secret@db:6432/aynux")),
              "postgresql://enzo@db:6432/aynux");
}

}  // namespace
}  // namespace decant::pg
