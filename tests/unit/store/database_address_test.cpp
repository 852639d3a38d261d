#include "store/database_address.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>

#include "core/error.hpp"

namespace decant::store {
namespace {

constexpr std::array libpq_variables{"PGHOST", "PGHOSTADDR", "PGPORT", "PGUSER", "PGDATABASE", "PGSERVICE"};

/// Tests see none of libpq's variables but those they set.
class DatabaseAddressTest : public testing::Test {
protected:
    void SetUp() override {
        for (const char* name : libpq_variables)
            ::unsetenv(name);
    }
    void TearDown() override { SetUp(); }

    static DatabaseAddress resolve(const Settings::Variables& flags, const Settings::Variables& environment) {
        return resolve_database(Settings::from(flags, environment));
    }
};

const Settings::Variables url{{"DATABASE_URL", "postgresql://url@url.example/url"}};
const Settings::Variables parts{{"DB_HOST", "parts.example"}, {"DB_USER", "enzo"}, {"DB_PASSWORD", "hunter2"}};

TEST_F(DatabaseAddressTest, TakesTheFlagBeforeTheEnvironment) {
    const DatabaseAddress address = resolve({{"DATABASE_URL", "postgresql://flag@flag.example/flag"}}, url);
    EXPECT_EQ(address.shown, "postgresql://flag@flag.example:5432/flag");
    EXPECT_FALSE(address.is_embedded);
}

TEST_F(DatabaseAddressTest, TakesTheUrlBeforeItsParts) {
    Settings::Variables both = parts;
    both.insert(url.begin(), url.end());
    EXPECT_EQ(resolve({}, both).shown, "postgresql://url@url.example:5432/url");
}

TEST_F(DatabaseAddressTest, FillsThePartsWithTheirDefaultsAndHidesThePassword) {
    const DatabaseAddress address = resolve({}, parts);
    EXPECT_EQ(address.shown, "postgresql://enzo@parts.example:5432/aynux");
    EXPECT_NE(address.conninfo.find("password=hunter2"), std::string::npos);
}

TEST_F(DatabaseAddressTest, TakesThePartsBeforeTheVariablesOfLibpq) {
    ::setenv("PGHOST", "libpq.example", 1);
    EXPECT_EQ(resolve({}, parts).shown, "postgresql://enzo@parts.example:5432/aynux");
}

TEST_F(DatabaseAddressTest, LeavesItToLibpqWhenItsVariablesNameAServer) {
    ::setenv("PGHOST", "libpq.example", 1);
    ::setenv("PGUSER", "enzo", 1);
    const DatabaseAddress address = resolve({}, {});
    EXPECT_EQ(address.conninfo, "");
    EXPECT_EQ(address.shown, "postgresql://enzo@libpq.example:5432/");
    EXPECT_FALSE(address.is_embedded);
}

TEST_F(DatabaseAddressTest, DoesNotShowAUrlThatItCannotRead) {
    try {
        resolve({}, {{"DATABASE_URL", "mysql://me:hunter2@host/shop"}});
        FAIL() << "it was read";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::config_invalid);
        EXPECT_EQ((error.happened() + error.remedy()).find("hunter2"), std::string::npos);
    }
}

TEST_F(DatabaseAddressTest, DoesNotTakeTheRestOfAPasswordWithABareAtSignForTheHost) {
    try {
        resolve({}, {{"DATABASE_URL", "postgresql://me:hunter@2@db.example/shop"}});
        FAIL() << "it was read";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::config_invalid);
        EXPECT_EQ((error.happened() + error.remedy()).find("2@db"), std::string::npos);
    }
    EXPECT_EQ(resolve({}, {{"DATABASE_URL", "host=@abstract dbname=shop"}}).shown, "dbname=shop host=@abstract");
}

TEST_F(DatabaseAddressTest, NamesTheSettingThatNamesAServer) {
    EXPECT_EQ(named_server(Settings::from(url, {})), "--db");
    EXPECT_EQ(named_server(Settings::from({}, url)), "DATABASE_URL");
    EXPECT_EQ(named_server(Settings::from({}, parts)), "DB_HOST");
    EXPECT_EQ(named_server(Settings::from({}, {})), "");
    ::setenv("PGSERVICE", "shop", 1);
    EXPECT_EQ(named_server(Settings::from({}, {})), "PGSERVICE");
}

}  // namespace
}  // namespace decant::store
