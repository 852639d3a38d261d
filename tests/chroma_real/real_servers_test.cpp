#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "core/child_process.hpp"
#include "pg/connection.hpp"
#include "tests/support/chroma_server.hpp"
#include "tests/support/throwaway_cluster.hpp"

namespace decant::test {
namespace {

namespace fs = std::filesystem;

const fs::path source_dir = DECANT_SOURCE_DIR;
constexpr int no_suitable_python = 77;  // scripts/make-venv says so

std::string support(const std::string& script) {
    return (source_dir / "tests/support" / script).string();
}

/// Directories of the fixtures and new ones, served by the real chromadb, copied by decant over HTTP and compared with
/// what that chromadb returned. The parameter is the version of chromadb.
class RealServers : public testing::TestWithParam<std::string> {
protected:
    void SetUp() override {
        for (const std::string& version : {GetParam(), std::string{"1.5.9"}}) {
            const ProgramResult made = run_program({.argv = {(source_dir / "scripts/make-venv").string(), version}});
            if (made.exit_code == no_suitable_python) GTEST_SKIP() << made.output;
            ASSERT_EQ(made.exit_code, 0) << made.output;
        }
        std::string pattern = (fs::temp_directory_path() / "decant-server-XXXXXX").string();
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        scratch_ = pattern;
        conninfo_ = ThrowawayCluster::shared().create_database();
    }

    void TearDown() override {
        if (!scratch_.empty()) fs::remove_all(scratch_);
    }

    ProgramResult run(std::vector<std::string> argv, std::vector<std::string> environment = {}) const {
        const ThrowawayCluster& cluster = ThrowawayCluster::shared();
        environment.insert(environment.end(),
                           {"PGHOST=" + cluster.folder().string(), "PGPORT=" + std::to_string(cluster.port()),
                            "PGUSER=postgres", "PGDATABASE=" + conninfo_.substr(conninfo_.rfind('=') + 1)});
        return run_program(
            {.argv = std::move(argv), .environment = std::move(environment), .directory = scratch_.string()});
    }

    static std::string python(const std::string& version) {
        return (source_dir / ".deps" / ("venv-" + version) / "bin/python").string();
    }

    /// Unpacks a committed fixture of this version with its truth; a copy of the directory is served.
    void unpack(const std::string& name) {
        const fs::path fixtures = source_dir / "tests/fixtures/chroma" / GetParam();
        ASSERT_EQ(run({"/bin/tar", "-xzf", (fixtures / (name + ".tar.gz")).string()}).exit_code, 0);
        fs::copy(fixtures / (name + ".truth.jsonl.gz"), scratch_ / (name + ".truth.jsonl.gz"));
        serve(name);
    }

    void make(const std::string& name) {
        const ProgramResult made =
            run({python(GetParam()), support("make_chroma.py"), "case", name, scratch_.string()});
        ASSERT_EQ(made.exit_code, 0) << made.output;
        serve(name);
    }

    void serve(const std::string& name) {
        fs::copy(scratch_ / name, scratch_ / (name + "-served"), fs::copy_options::recursive);
        server_ = std::make_unique<ChromaServer>(GetParam(), scratch_ / (name + "-served"), server_environment_);
        ASSERT_TRUE(server_->answers());
    }

    ProgramResult copy(const std::vector<std::string>& collection, std::vector<std::string> environment = {}) const {
        std::vector<std::string> argv{DECANT_BINARY, "copy",   "--from",  server_->url(),
                                      "--to",        "copied", "--index", "none"};
        argv.insert(argv.end(), collection.begin(), collection.end());
        return run(std::move(argv), std::move(environment));
    }

    /// Copies one collection and compares the table with the truth.
    void expect_equal(const std::string& name, const std::vector<std::string>& collection) const {
        const ProgramResult copied = copy(collection);
        std::vector<std::string> compare{python("1.5.9"), support("compare_truth.py"),
                                         (scratch_ / (name + ".truth.jsonl.gz")).string(), (scratch_ / name).string(),
                                         "copied"};
        compare.insert(compare.end(), collection.begin(), collection.end());
        if (fs::exists(scratch_ / "rejects.jsonl"))
            compare.insert(compare.end(), {"--rejects", (scratch_ / "rejects.jsonl").string()});
        else
            EXPECT_EQ(copied.exit_code, 0) << copied.output;
        const ProgramResult compared = run(compare);
        EXPECT_EQ(compared.exit_code, 0) << compared.output << copied.output;
        fs::remove(scratch_ / "rejects.jsonl");
        pg::Connection::open(conninfo_).exec("DROP TABLE copied");
    }

    std::string conninfo_;
    fs::path scratch_;
    std::vector<std::string> server_environment_;
    std::unique_ptr<ChromaServer> server_;
};

class RealServersOnCommittedDirectories : public RealServers {};

TEST_P(RealServersOnCommittedDirectories, AreCopiedEqualToTheirTruth) {
    unpack("products");
    expect_equal("products", {"--collection", "products_all_products"});
    expect_equal("products", {"--collection", "ip_16"});
}

/// 0.4 answers 500 for a record with an infinite metadata value.
TEST_P(RealServersOnCommittedDirectories, AreCopiedEqualWithOddIdsAndValues) {
    unpack("edge");
    expect_equal("edge", {"--collection", "edge"});
    expect_equal("edge", {"--collection", "renombrada"});
}

TEST_P(RealServers, AreCopiedEqualAfterAddsUpdatesDeletesAndUpserts) {
    make("products");
    for (const char* collection : {"products_cosine", "products_l2", "products_ip"})
        expect_equal("products", {"--collection", collection});
}

TEST_P(RealServers, AreToldApartByTenantAndDatabase) {
    make("tenants");
    expect_equal("tenants",
                 {"--collection", "productos", "--tenant", "default_tenant", "--database", "default_database"});
    expect_equal("tenants", {"--collection", "productos", "--tenant", "default_tenant", "--database", "tienda"});
    expect_equal("tenants", {"--collection", "productos", "--tenant", "inquilino ñ", "--database", "tienda"});
}

/// Those of which there is a directory of products.
class RealServersWithProducts : public RealServers {};

TEST_P(RealServersWithProducts, TakeBackWhatWasCopiedAndChangedSince) {
    unpack("products");
    ASSERT_NE(server_, nullptr);
    const std::string to = server_->url();
    for (const std::string collection : {"products_all_products", "ip_16"}) {
        ASSERT_EQ(copy({"--collection", collection}).exit_code, 0);
        pg::Connection db = pg::Connection::open(conninfo_);
        db.exec(
            "INSERT INTO copied SELECT 'nuevo ''ñ', NULL, '{\"k\": \"é\\n\", \"f\": 2.0, \"i\": 2}', embedding FROM "
            "copied "
            "ORDER BY id LIMIT 1");
        db.exec(
            "UPDATE copied SET document = NULL, metadata = '{\"left\": 0.30000000000000004}' WHERE id IN "
            "(SELECT id FROM copied ORDER BY id OFFSET 3 LIMIT 5)");
        const auto export_to = [&](const std::string& name) {
            return run({DECANT_BINARY, "export", "copied", "--to", to, "--collection", name, "--space",
                        collection == "ip_16" ? "ip" : "cosine"});
        };
        const ProgramResult first = export_to(collection);
        EXPECT_EQ(first.exit_code, 0) << first.output;
        EXPECT_THAT(first.output, testing::HasSubstr("\n1 added, 5 changed, "));
        const ProgramResult second = export_to(collection);
        EXPECT_THAT(second.output, testing::HasSubstr("\n0 added, 0 changed, "));
        const ProgramResult beside = export_to(collection + "-2");
        EXPECT_EQ(beside.exit_code, 0) << beside.output;
        EXPECT_THAT(beside.output, testing::HasSubstr("-> new collection"));
        const ProgramResult again = run({DECANT_BINARY, "copy", "--from", to, "--to", "again", "--index", "none",
                                         "--collection", collection + "-2"});
        EXPECT_EQ(again.exit_code, 0) << again.output;
        EXPECT_EQ(
            db.exec("SELECT count(*) FROM copied c FULL JOIN again a USING (id) WHERE (c.document, c.metadata) IS "
                    "DISTINCT FROM (a.document, a.metadata) OR NOT c.embedding <-> a.embedding < 1e-6")
                .text(0, 0),
            "0");
        db.exec("DROP TABLE copied, again");
    }
}

/// 1.x checks no tokens itself.
class RealServersWithAToken : public RealServers {};

TEST_P(RealServersWithAToken, TakeItFromEitherHeaderAndRefuseAnother) {
    for (const char* header : {"Authorization", "X-Chroma-Token"}) {
        fs::remove_all(scratch_ / "edge");
        fs::remove_all(scratch_ / "edge-served");
        fs::remove(scratch_ / "edge.truth.jsonl.gz");
        server_environment_ = {
            "CHROMA_SERVER_AUTHN_PROVIDER=chromadb.auth.token_authn.TokenAuthenticationServerProvider",
            "CHROMA_SERVER_AUTHN_CREDENTIALS=right-token", std::string{"CHROMA_AUTH_TOKEN_TRANSPORT_HEADER="} + header};
        unpack("edge");
        const std::string named = std::string{"CHROMA_AUTH_HEADER="} + header;
        const ProgramResult copied = copy({"--collection", "renombrada"}, {"CHROMA_TOKEN=right-token", named});
        EXPECT_EQ(copied.exit_code, 0) << copied.output;
        const ProgramResult refused = copy({"--collection", "renombrada"}, {"CHROMA_TOKEN=wrong-token", named});
        EXPECT_EQ(refused.exit_code, 77) << refused.output;
        EXPECT_THAT(refused.output, testing::HasSubstr("CHROMA_TOKEN"));
    }
}

INSTANTIATE_TEST_SUITE_P(LongVersions, RealServersWithProducts, testing::Values("0.5.23", "1.5.9"));
INSTANTIATE_TEST_SUITE_P(LongVersions, RealServersWithAToken, testing::Values("0.5.23"));

std::string version_name(const testing::TestParamInfo<std::string>& each) {
    std::string name = "v" + each.param;
    std::ranges::replace(name, '.', '_');
    return name;
}

INSTANTIATE_TEST_SUITE_P(LongVersions, RealServersOnCommittedDirectories, testing::Values("0.5.23", "1.5.9"),
                         version_name);
INSTANTIATE_TEST_SUITE_P(LongVersions, RealServers, testing::Values("0.4.24", "0.5.23", "1.5.9"), version_name);

}  // namespace
}  // namespace decant::test
