#include <sys/types.h>
#include <unistd.h>

#include "store/schema_migrator.hpp"
#include "tests/pg/doctor_case.hpp"
#include "tests/support/small_disk.hpp"
#include "tests/support/tcp_proxy.hpp"

namespace decant::test {
namespace {

using std::chrono::hours;
using std::chrono::system_clock;

constexpr auto failure = operate::CheckState::failure;
constexpr auto warning = operate::CheckState::warning;
constexpr auto mends = Break::Mending::offered_and_done;

/// Of a server that calls itself PostgreSQL 14.
void be_old(DoctorCase& with) {
    const ThrowawayCluster& cluster = ThrowawayCluster::shared();
    const auto proxy =
        std::make_shared<TcpProxy>(cluster.folder() / fmt::format(".s.PGSQL.{}", cluster.port()),
                                   TcpProxy::Filters{.from_client = {}, .from_server = [](std::string& bytes) {
                                                         const std::string name{"server_version\0", 15};
                                                         const std::size_t at = bytes.find(name);
                                                         if (at != std::string::npos)
                                                             bytes.replace(at + name.size(), 2, "14");
                                                         return TcpProxy::Action::pass;
                                                     }});
    with.settings["DATABASE_URL"] = proxy->conninfo(with.database());
    with.kept.emplace_back(proxy);
}

/// A tablespace on a disk of 4 MB, which goes with the case.
void fill_up(DoctorCase& with) {
    const auto disk = std::make_shared<SmallDisk>("4m");
    const Account& account = ThrowawayCluster::shared().account().account;
    if (::chown(disk->path().c_str(), account.uid, account.gid) != 0) throw std::runtime_error("cannot chown");
    pg::Connection::open(ThrowawayCluster::shared().conninfo())
        .exec(fmt::format("CREATE TABLESPACE small_disk LOCATION '{}'", disk->path().string()));
    with.kept.emplace_back(std::shared_ptr<void>{
        nullptr, [disk](void*) {
            pg::Connection::open(ThrowawayCluster::shared().conninfo()).exec("DROP TABLESPACE small_disk");
        }});
}

void pretend_pgvector(const DoctorCase& with, const std::string& version) {
    with.exec(fmt::format("UPDATE pg_extension SET extversion = '{}' WHERE extname = 'vector'", version));
}

/// What the update to 0.8.0 makes is taken away.
void be_pgvector_0_7(const DoctorCase& with) {
    with.exec(R"sql(DO $$ DECLARE type text; BEGIN
        FOREACH type IN ARRAY ARRAY['integer', 'real', 'double precision', 'numeric'] LOOP
            EXECUTE format('ALTER EXTENSION vector DROP CAST (%1$s[] AS sparsevec); DROP CAST (%1$s[] AS sparsevec);'
                           'ALTER EXTENSION vector DROP FUNCTION array_to_sparsevec(%1$s[], integer, boolean);'
                           'DROP FUNCTION array_to_sparsevec(%1$s[], integer, boolean)', type);
        END LOOP;
    END $$)sql");
    pretend_pgvector(with, "0.7.4");
}

/// On a server of its own whose shared_buffers are smaller than the index.
void have_little_memory(DoctorCase& with) {
    const auto cluster = std::make_shared<ThrowawayCluster>(
        ThrowawayCluster::Options{.settings = {"shared_buffers = 1MB", "max_connections = 20"}});
    const std::string conninfo = cluster->create_database();
    store::SchemaMigrator{conninfo}.up(8);
    pg::Connection::open(conninfo).exec(
        "DROP INDEX idx_products_embedding_hnsw; SET session_replication_role = replica;"
        "INSERT INTO categories (name, display_name) VALUES ('audio', 'Audio');"
        "INSERT INTO products (name, specs, price, stock, sku, category_id, embedding) SELECT 'p', '', 1, 1, "
        "'sku-' || i, c.id, (SELECT array_agg(random() - 0.5 + 0 * k + 0 * i) FROM generate_series(1, 8) k)::vector "
        "FROM generate_series(1, 5000) i, categories c;"
        "CREATE INDEX idx_products_embedding_hnsw ON products USING hnsw (embedding vector_cosine_ops)");
    with.settings["DATABASE_URL"] = conninfo;
    with.kept.emplace_back(cluster);
}

}  // namespace

std::vector<Break> server_breaks() {
    return {
        {"connection",
         [](DoctorCase& with) { with.settings["DATABASE_URL"] = "host=/nowhere port=1 user=enzo dbname=aynux"; },
         failure, "No connection to PostgreSQL at /nowhere:1/aynux as enzo", "Start the server"},
        {"server.version", be_old, failure, "is version 14, decant needs 15 or newer", "Upgrade the server"},
        {"server.writable",
         [](DoctorCase& with) {
             with.exec(fmt::format("ALTER DATABASE {} SET default_transaction_read_only = on", with.database()));
         },
         failure, "takes no writes now", "Name the primary"},
        {"server.clock", [](DoctorCase& with) { with.now = [] { return system_clock::now() + hours{1}; }; }, warning,
         "3600 s behind this machine's", "timedatectl set-ntp true"},
        {"server.disk", fill_up, failure, "free of 4.19 MB in /", "Free space: du", Break::Mending::none, true},
        {"pgvector.installed", [](DoctorCase& with) { with.exec("DROP EXTENSION vector CASCADE"); }, failure,
         "pgvector extension not installed", "-c 'CREATE EXTENSION IF NOT EXISTS vector;'", mends},
        {"pgvector.version", be_pgvector_0_7, failure, "pgvector 0.7.4: decant needs 0.8.0 or newer",
         "-c 'ALTER EXTENSION vector UPDATE;'", mends},
        {"pgvector.security", [](DoctorCase& with) { pretend_pgvector(with, "0.8.1"); }, warning, "CVE-2026-3172",
         "-c 'ALTER EXTENSION vector UPDATE;'", mends},
        {"pgvector.vacuum", [](DoctorCase& with) { pretend_pgvector(with, "0.8.3"); }, warning,
         "VACUUM may leave an HNSW index damaged", "-c 'ALTER EXTENSION vector UPDATE;'", mends},
        {"pgvector.security",
         [](DoctorCase& with) {
             pretend_pgvector(with, "0.8.1");
             with.exec(fmt::format("ALTER DATABASE {} SET extension_control_path = '/nowhere'", with.database()));
         },
         warning, "CVE-2026-3172", "Install pgvector 0.8.2 or newer on the server"},
        {"pgvector.schema",
         [](DoctorCase& with) { with.exec("CREATE SCHEMA extensions; ALTER EXTENSION vector SET SCHEMA extensions"); },
         warning, "pgvector is in schema \"extensions\", which search_path does not name", "SET search_path =", mends},
        {"rights.tables",
         [](DoctorCase& with) {
             with.settings["DATABASE_URL"] = with.new_role();
             with.exec(fmt::format("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}", with.role));
         },
         warning, "lacks USAGE on schema decant", "GRANT USAGE ON SCHEMA decant TO \"role_of_"},
        {"rights.tables", [](DoctorCase& with) { with.settings["DATABASE_URL"] = with.new_role(); }, failure,
         "INSERT, SELECT, UPDATE on public.brands", "GRANT INSERT, SELECT, UPDATE ON public.products TO \"role_of_"},
        {"rights.owner",
         [](DoctorCase& with) {
             with.settings["DATABASE_URL"] = with.new_role();
             with.exec(
                 fmt::format("GRANT ALL ON ALL TABLES IN SCHEMA public TO {0}; GRANT USAGE ON SCHEMA decant TO "
                             "{0}; GRANT ALL ON ALL TABLES IN SCHEMA decant TO {0}",
                             with.role));
         },
         warning, "may not change public.products", "as its owner, 'postgres'"},
        {"memory.shared_buffers", have_little_memory, warning, "High memory usage: The index takes",
         "ALTER SYSTEM SET shared_buffers = "},
        {"memory.maintenance",
         [](DoctorCase& with) {
             with.exec(fmt::format("ALTER DATABASE {} SET maintenance_work_mem = '1MB'", with.database()));
         },
         warning, "maintenance_work_mem is 1.05 MB", "17MB", mends},
        {"memory.shared",
         [](DoctorCase& with) {
             const auto disk = std::make_shared<SmallDisk>("4m");
             with.shared_memory = disk->path();
             with.kept.emplace_back(disk);
         },
         warning, "has 4.19 MB free", "mount -o remount", mends, true},
    };
}

}  // namespace decant::test
