#include <fmt/format.h>

#include "tests/support/copy_case.hpp"
#include "tests/support/tcp_proxy.hpp"

namespace decant::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr const char* objects_sql =
    "SELECT (SELECT count(*) FROM pg_class) || ' ' || (SELECT count(*) FROM pg_namespace) || ' ' || "
    "(SELECT count(*) FROM pg_extension)";

std::string database_of(const std::string& conninfo) {
    return conninfo.substr(conninfo.rfind('=') + 1);
}

/// The conninfo of the same database as another role.
std::string as_role(std::string conninfo, const std::string& role) {
    const std::string user = "user=postgres";
    return conninfo.replace(conninfo.find(user), user.size(), "user=" + role);
}

TEST(Copy, M11_NamesAllProblemsOfALeastPrivilegedRoleAtOnceAndMakesNothing) {
    const std::string admin = ThrowawayCluster::shared().create_bare_database();
    pg::Connection::open(admin).exec("DROP ROLE IF EXISTS poor; CREATE ROLE poor LOGIN");
    CopyCase with{{.dimension = 2001}, as_role(admin, "poor")};
    with.source().put_samples(0, 3);
    const std::string before = with.value(objects_sql);
    const Outcome outcome = with.copy();
    EXPECT_EQ(outcome.exit_code, 77) << outcome.told();
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("4 things"), HasSubstr("pgvector extension not installed"),
                                   HasSubstr("may not create tables in schema 'public'"),
                                   HasSubstr("may not create the schema 'decant'"), HasSubstr("2001 dimensions")));
    EXPECT_THAT(outcome.err,
                AllOf(HasSubstr("CREATE EXTENSION IF NOT EXISTS vector"), HasSubstr("GRANT CREATE ON SCHEMA"),
                      HasSubstr("CREATE SCHEMA decant AUTHORIZATION"), HasSubstr("--type halfvec")));
    EXPECT_EQ(with.value(objects_sql), before);
    pg::Connection::open(admin).exec("DROP ROLE poor");
}

TEST(Copy, M11_ARefusedLoginIsOneClearError) {
    const ThrowawayCluster& cluster = ThrowawayCluster::shared();
    CopyCase with{{}, cluster.tcp_conninfo("postgres", "nobody_here", "wrong")};
    with.source().put_samples(0, 3);
    const Outcome outcome = with.copy();
    EXPECT_EQ(outcome.exit_code, 77) << outcome.told();
    EXPECT_THAT(outcome.err, HasSubstr("nobody_here"));
    EXPECT_THAT(outcome.err, testing::Not(HasSubstr("wrong")));
}

TEST(Copy, M12_InstallsTheExtensionWhereItMay) {
    CopyCase with{{}, ThrowawayCluster::shared().create_bare_database()};
    with.source().put_samples(0, 10);
    EXPECT_EQ(count_of(with.copied(), "copied"), 10U);
    EXPECT_EQ(with.value("SELECT count(*) FROM pg_extension WHERE extname = 'vector'"), "1");
}

TEST(Copy, M12_NamesThePackageWhereTheServerHasNoPgvector) {
    CopyCase with{{}, ThrowawayCluster::shared().create_bare_database()};
    with.source().put_samples(0, 10);
    with.exec(fmt::format("ALTER DATABASE {} SET extension_control_path = '/nowhere'",
                          database_of(with.decant().conninfo())));
    const Outcome outcome = with.copy();
    EXPECT_EQ(outcome.exit_code, 65) << outcome.told();
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("pgvector extension not installed"), HasSubstr("postgresql-18-pgvector"),
                                   HasSubstr("CREATE EXTENSION IF NOT EXISTS vector;")));
    EXPECT_EQ(with.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'decant'"), "0");
}

TEST(Copy, M12_AsksForAnUpdateOfAnOldPgvector) {
    CopyCase with;
    with.source().put_samples(0, 10);
    with.exec("UPDATE pg_extension SET extversion = '0.7.4' WHERE extname = 'vector'");
    const Outcome outcome = with.copy();
    EXPECT_EQ(outcome.exit_code, 65) << outcome.told();
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("pgvector 0.7.4"), HasSubstr("ALTER EXTENSION vector UPDATE;")));
    EXPECT_EQ(with.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'decant'"), "0");
}

TEST(Copy, M12_RefusesAServerOlderThanPostgresql15) {
    ThrowawayCluster& cluster = ThrowawayCluster::shared();
    const std::string database = database_of(cluster.create_database());
    // The server's own greeting, but for its version.
    const TcpProxy proxy{cluster.folder() / fmt::format(".s.PGSQL.{}", cluster.port()),
                         {.from_client = {}, .from_server = [](std::string& bytes) {
                              const std::string name{"server_version\0", 15};
                              const std::size_t at = bytes.find(name);
                              if (at != std::string::npos) bytes.replace(at + name.size(), 2, "14");
                              return TcpProxy::Action::pass;
                          }}};
    CopyCase with{{}, proxy.conninfo(database)};
    with.source().put_samples(0, 10);
    // What the proxy reaches is the server's Unix socket, where no password is asked.
    const Outcome outcome = with.copy();
    EXPECT_EQ(outcome.exit_code, 65) << outcome.told();
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("version 14"), HasSubstr("15 or newer")));
}

TEST(Copy, M5_SaysThatAReadOnlyServerTakesNoWrites) {
    CopyCase with;
    with.source().put_samples(0, 10);
    with.exec(
        fmt::format("ALTER DATABASE {} SET default_transaction_read_only = on", database_of(with.decant().conninfo())));
    const Outcome outcome = with.copy();
    EXPECT_EQ(outcome.exit_code, 69) << outcome.told();
    EXPECT_LT(outcome.seconds, 5.0);
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("takes no writes"), HasSubstr("target_session_attrs=read-write")));
}

TEST(Copy, NamesASchemaThatIsMissing) {
    CopyCase with;
    with.source().put_samples(0, 10);
    const Outcome outcome = with.copy({"--schema", "shop"});
    EXPECT_EQ(outcome.exit_code, 65) << outcome.told();
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("Schema 'shop' does not exist"), HasSubstr("CREATE SCHEMA")));
    with.exec("CREATE SCHEMA shop");
    EXPECT_EQ(count_of(with.copied({"--schema", "shop"}), "copied"), 10U);
}

}  // namespace
}  // namespace decant::test
