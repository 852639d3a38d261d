#include <fmt/format.h>
#include <signal.h>

#include <cstdlib>
#include <filesystem>

#include "core/error.hpp"
#include "tests/support/copy_case.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/pg_bouncer.hpp"

namespace decant::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

std::string database_of(const std::string& conninfo) {
    return conninfo.substr(conninfo.rfind('=') + 1);
}

/// As managed servers are set up: the extension made by an administrator in a schema of its own, and a role that owns
/// nothing but may make schemas and tables.
class Managed : public testing::Test {
protected:
    Managed() : admin_(ThrowawayCluster::shared().create_bare_database()) {
        exec(
            "DROP ROLE IF EXISTS app; CREATE ROLE app LOGIN; CREATE SCHEMA extensions; "
            "CREATE EXTENSION vector SCHEMA extensions; GRANT USAGE ON SCHEMA extensions TO app; "
            "GRANT CREATE ON SCHEMA public TO app");
        exec(fmt::format("GRANT CREATE ON DATABASE {} TO app", database_of(admin_)));
    }
    ~Managed() override { exec("DROP OWNED BY app; DROP ROLE app"); }

    void exec(const std::string& sql) const { pg::Connection::open(admin_).exec(sql); }
    std::string as_app() const { return ThrowawayCluster::shared().conninfo(database_of(admin_)) + " user=app"; }

    std::string admin_;
};

TEST_F(Managed, CopiesWithTheExtensionInAnotherSchemaAndWithoutSuperuser) {
    CopyCase with{{.dimension = 32, .space = "cosine"}, as_app()};
    with.source().put_samples(0, 300);
    EXPECT_EQ(count_of(with.copied(), "copied"), 300U);
    EXPECT_THAT(with.value("SELECT indexdef FROM pg_indexes WHERE indexdef ~ 'hnsw'"),
                HasSubstr("extensions.vector_cosine_ops"));
    with.source().put_samples(0, 30, 1);
    EXPECT_EQ(count_of(with.copied({"--replace"}), "copied"), 300U);
    EXPECT_EQ(with.decant().run({"rollback", "products"}).exit_code, 0);
    EXPECT_EQ(with.verify("digests").exit_code, 0);
}

TEST_F(Managed, PrintsAQueryThatRunsWhereTheExtensionIsNotInTheSearchPath) {
    CopyCase with{{}, as_app()};
    with.source().put_samples(0, 300);
    const Outcome outcome =
        with.decant().run({"copy", "--from", with.source().path().string(), "--collection", "products"});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.told();
    const std::size_t start = outcome.out.find("SELECT id");
    const std::string query = outcome.out.substr(start, outcome.out.find(';', start) - start);
    EXPECT_EQ(with.open().exec(query).rows(), 10) << query;
}

TEST_F(Managed, NeedsNoRightOnTheDatabaseWhenTheSchemaDecantIsThere) {
    exec(fmt::format("REVOKE CREATE ON DATABASE {} FROM app; CREATE SCHEMA decant AUTHORIZATION app",
                     database_of(admin_)));
    CopyCase with{{}, as_app()};
    with.source().put_samples(0, 30);
    EXPECT_EQ(count_of(with.copied(), "copied"), 30U);
}

TEST(ManagedConnection, CopiesThroughPgBouncerInTransactionMode) {
    const PgBouncer bouncer{ThrowawayCluster::shared()};
    CopyCase with{{}, bouncer.conninfo(database_of(ThrowawayCluster::shared().create_database()))};
    with.source().put_samples(0, 1000);
    EXPECT_EQ(count_of(with.copied({"--batch-size", "50"}), "copied"), 1000U);
    with.source().put_samples(100, 200, 1);
    EXPECT_EQ(count_of(with.copied({"--batch-size", "50"}), "updated"), 200U);
    EXPECT_EQ(count_of(with.copied({"--replace", "--batch-size", "50"}), "copied"), 1000U);
    EXPECT_EQ(with.verify("digests").exit_code, 0);
    EXPECT_EQ(with.decant().run({"rollback", "products"}).exit_code, 0);
}

TEST(ManagedConnection, M3_TheLockHoldsAndEndsBehindPgBouncerToo) {
    const PgBouncer bouncer{ThrowawayCluster::shared()};
    const std::string direct = ThrowawayCluster::shared().create_database();
    CopyCase with{{}, bouncer.conninfo(database_of(direct))};
    with.source().put_samples(0, 200);
    with.copied({"--index", "none"});
    with.source().put_samples(0, 200, 1);
    auto blocker = pg::Connection::open(direct);
    blocker.exec("BEGIN; SELECT * FROM products WHERE id = 'record-000150' FOR UPDATE");
    RunningDecant first = with.decant().start(with.copy_arguments({"--index", "none"}));
    auto watcher = pg::Connection::open(direct);
    ASSERT_TRUE(eventually(10s, [&] {
        return watcher
                   .exec("SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
                   .rows() > 0;
    }));
    EXPECT_EQ(with.copy().exit_code, 75);
    first.signal(SIGKILL);
    first.wait();
    blocker.exec("ROLLBACK");
    EXPECT_EQ(count_of(with.copied({"--index", "none"}), "updated"), 200U);
}

TEST(ManagedConnection, CopiesOverTlsWhereTheServerAsksForIt) {
    ThrowawayCluster cluster;
    const auto data = cluster.folder() / "data";
    const std::string make_certificate = fmt::format(
        "openssl req -new -x509 -days 2 -nodes -subj /CN=127.0.0.1 -keyout {0}/server.key -out {0}/server.crt "
        "2>/dev/null && chown {1}: {0}/server.key {0}/server.crt && chmod 600 {0}/server.key",
        data.string(), cluster.account().name);
    ASSERT_EQ(std::system(make_certificate.c_str()), 0);
    const std::string database = database_of(cluster.create_database());
    auto admin = pg::Connection::open(cluster.conninfo());
    admin.exec("ALTER SYSTEM SET ssl = on");
    admin.exec("CREATE ROLE app LOGIN PASSWORD 'secret of app'");
    admin.exec(fmt::format("ALTER DATABASE {} OWNER TO app", database));
    std::filesystem::resize_file(data / "pg_hba.conf", 0);
    ASSERT_EQ(
        std::system(fmt::format("printf 'local all all trust\\nhostssl all all 127.0.0.1/32 scram-sha-256\\n' > {}",
                                (data / "pg_hba.conf").string())
                        .c_str()),
        0);
    admin.exec("SELECT pg_reload_conf()");

    const std::string base =
        fmt::format("host=127.0.0.1 port={} user=app password='secret of app' dbname={}", cluster.port(), database);
    ASSERT_TRUE(eventually(10s, [&] {
        try {
            pg::Connection::open(base + " sslmode=require");
            return true;
        } catch (const Error&) {
            return false;
        }
    }));
    CopyCase with{{}, base + " sslmode=require"};
    with.source().put_samples(0, 300);
    EXPECT_EQ(count_of(with.copied(), "copied"), 300U);
    CopyCase without{{}, base + " sslmode=disable"};
    without.source().put_samples(0, 3);
    const Outcome refused = without.copy();
    EXPECT_EQ(refused.exit_code, 77) << refused.told();
    EXPECT_THAT(refused.err, testing::Not(HasSubstr("secret of app")));
}

}  // namespace
}  // namespace decant::test
