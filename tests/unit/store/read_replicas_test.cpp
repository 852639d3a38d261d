#include "store/read_replicas.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "pg/conninfo.hpp"

namespace decant::store {
namespace {

std::vector<ReplicaAddress> replicas_of(const std::string& hosts, const std::string& primary) {
    return read_replicas(Settings::from({}, {{"DB_READ_HOSTS", hosts}}),
                         {.conninfo = primary, .shown = "", .is_embedded = false});
}

std::string keyword(const ReplicaAddress& replica, const std::string& name) {
    const auto keywords = pg::parse_conninfo(replica.conninfo);
    const auto found = keywords->find(name);
    return found == keywords->end() ? "unset" : found->second;
}

TEST(ReadReplicas, AreNoneUnlessNamed) {
    EXPECT_TRUE(replicas_of("", "host=db1").empty());
}

TEST(ReadReplicas, AreReachedLikeThePrimaryButAtTheirHost) {
    const auto replicas = replicas_of("db2:5433, db3",
                                      "host=db1 hostaddr=10.0.0.1 port=6000 user=shop password='a b' dbname=aynux "
                                      "target_session_attrs=read-write");
    ASSERT_EQ(replicas.size(), 2U);
    EXPECT_EQ(replicas[0].name, "db2:5433");
    EXPECT_EQ(replicas[1].name, "db3:6000");
    EXPECT_EQ(keyword(replicas[0], "host"), "db2");
    EXPECT_EQ(keyword(replicas[0], "hostaddr"), "");
    EXPECT_EQ(keyword(replicas[0], "port"), "5433");
    EXPECT_EQ(keyword(replicas[0], "user"), "shop");
    EXPECT_EQ(keyword(replicas[0], "password"), "a b");
    EXPECT_EQ(keyword(replicas[0], "dbname"), "aynux");
    EXPECT_EQ(keyword(replicas[0], "target_session_attrs"), "any");
}

TEST(ReadReplicas, AreGivenUpWithinSecondsUnlessThePrimarySaysHowLong) {
    EXPECT_EQ(keyword(replicas_of("db2", "host=db1").front(), "connect_timeout"), "2");
    EXPECT_EQ(keyword(replicas_of("db2", "host=db1 connect_timeout=7").front(), "connect_timeout"), "7");
}

TEST(ReadReplicas, MayBeAddressesOfIpv6AndFoldersOfSockets) {
    const auto replicas = replicas_of("[::1]:5433,/run/postgresql:5434", "host=db1");
    EXPECT_EQ(keyword(replicas[0], "host"), "::1");
    EXPECT_EQ(replicas[0].name, "[::1]:5433");
    EXPECT_EQ(keyword(replicas[1], "host"), "/run/postgresql");
    EXPECT_EQ(keyword(replicas[1], "port"), "5434");
}

TEST(ReadReplicas, RefuseWhatIsNoHostOrIsNamedTwice) {
    for (const char* hosts : {"db2:port", "db2:0", "db2:70000", "::1", "[::1", "[::1]5433", ":5432", "db2:1,db2:1"})
        EXPECT_THROW(replicas_of(hosts, "host=db1"), Error) << hosts;
}

}  // namespace
}  // namespace decant::store
