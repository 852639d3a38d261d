#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>

#include "core/child_process.hpp"
#include "pg/connection.hpp"
#include "tests/support/throwaway_cluster.hpp"

namespace decant::test {
namespace {

namespace fs = std::filesystem;

const fs::path source_dir = DECANT_SOURCE_DIR;
constexpr int no_suitable_python = 77;  // scripts/make-venv says so

/// Directories that a real chromadb makes, copied by decant and compared with what that chromadb returned.
/// The parameter is the version of chromadb; scripts/make-venv installs it.
class RealDirectories : public testing::TestWithParam<std::string> {
protected:
    void SetUp() override {
        const ProgramResult made = run_program({.argv = {(source_dir / "scripts/make-venv").string(), GetParam()}});
        if (made.exit_code == no_suitable_python) GTEST_SKIP() << made.output;
        ASSERT_EQ(made.exit_code, 0) << made.output;
        python_ = source_dir / ".deps" / ("venv-" + GetParam()) / "bin/python";
        // Comparing needs psycopg, which is in this one only.
        ASSERT_EQ(run_program({.argv = {(source_dir / "scripts/make-venv").string(), "1.5.9"}}).exit_code, 0);
        std::string pattern = (fs::temp_directory_path() / "decant-real-XXXXXX").string();
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        scratch_ = pattern;
        conninfo_ = cluster().create_database();
    }

    void TearDown() override {
        if (!scratch_.empty()) fs::remove_all(scratch_);
    }

    static ThrowawayCluster& cluster() { return ThrowawayCluster::shared(); }

    ProgramResult run(std::vector<std::string> argv) const {
        return run_program(
            {.argv = std::move(argv),
             .environment = {"PGHOST=" + cluster().folder().string(), "PGPORT=" + std::to_string(cluster().port()),
                             "PGUSER=postgres", "PGDATABASE=" + conninfo_.substr(conninfo_.rfind('=') + 1)},
             .directory = scratch_.string()});
    }

    ProgramResult make(const std::string& name) const {
        return run({python_.string(), support("make_chroma.py"), "case", name, scratch_.string()});
    }

    /// Copies one collection and compares the table with the truth; what was said, when something differs.
    void expect_equal(const std::string& name, const std::vector<std::string>& collection) const {
        std::vector<std::string> copy = {DECANT_BINARY, "copy",   "--from",  (scratch_ / name).string(),
                                         "--to",        "copied", "--index", "none"};
        copy.insert(copy.end(), collection.begin(), collection.end());
        const ProgramResult copied = run(copy);
        ASSERT_EQ(copied.exit_code, 0) << copied.output;
        std::vector<std::string> compare = {comparing_python(), support("compare_truth.py"),
                                            (scratch_ / (name + ".truth.jsonl.gz")).string(),
                                            (scratch_ / name).string(), "copied"};
        compare.insert(compare.end(), collection.begin(), collection.end());
        const ProgramResult compared = run(compare);
        EXPECT_EQ(compared.exit_code, 0) << compared.output;
        pg::Connection::open(conninfo_).exec("DROP TABLE copied");
    }

    static std::string comparing_python() { return (source_dir / ".deps/venv-1.5.9/bin/python").string(); }

    static std::string support(const std::string& script) {
        return (source_dir / "tests" / "support" / script).string();
    }

    std::string conninfo_;
    fs::path python_;
    fs::path scratch_;
};

TEST_P(RealDirectories, AreCopiedEqualAfterAddsUpdatesDeletesAndUpserts) {
    const ProgramResult made = make("products");
    ASSERT_EQ(made.exit_code, 0) << made.output;
    for (const char* collection : {"products_cosine", "products_l2", "products_ip"})
        expect_equal("products", {"--collection", collection});
}

TEST_P(RealDirectories, AreToldApartByTenantAndDatabase) {
    const ProgramResult made = make("tenants");
    ASSERT_EQ(made.exit_code, 0) << made.output;
    expect_equal("tenants",
                 {"--collection", "productos", "--tenant", "default_tenant", "--database", "default_database"});
    expect_equal("tenants", {"--collection", "productos", "--tenant", "default_tenant", "--database", "tienda"});
    expect_equal("tenants", {"--collection", "productos", "--tenant", "inquilino ñ", "--database", "tienda"});
}

TEST_P(RealDirectories, AreCopiedEqualWithOddIdsValuesAndVectors) {
    const ProgramResult made = make("edge");
    ASSERT_EQ(made.exit_code, 0) << made.output;
    expect_equal("edge", {"--collection", "edge"});
    if (GetParam() == "1.5.9") expect_equal("edge", {"--collection", "arrays"});
}

TEST_P(RealDirectories, AreReadInOneConsistentStateWhileAClientWrites) {
    const fs::path directory = scratch_ / "live";
    const fs::path stop = scratch_ / "stop";
    const std::string command = python_.string() + " " + support("make_chroma.py") + " writer " + directory.string() +
                                " --stop " + stop.string();
    const std::unique_ptr<FILE, int (*)(FILE*)> writer{::popen(command.c_str(), "r"), ::pclose};
    ASSERT_NE(writer, nullptr);
    std::string line(16, '\0');
    ASSERT_NE(std::fgets(line.data(), static_cast<int>(line.size()), writer.get()), nullptr);
    constexpr int copies = 5;
    for (int i = 0; i < copies; ++i) {
        const ProgramResult copied = run({DECANT_BINARY, "copy", "--from", directory.string(), "--collection", "live",
                                          "--to", "copied", "--index", "none"});
        EXPECT_EQ(copied.exit_code, 0) << copied.output;
        EXPECT_THAT(copied.output, testing::HasSubstr("consistent copy"));
        const ProgramResult compared = run({comparing_python(), support("compare_live.py"), "copied"});
        EXPECT_EQ(compared.exit_code, 0) << compared.output;
        pg::Connection::open(conninfo_).exec("DROP TABLE IF EXISTS copied");
    }
    std::ofstream{stop} << "stop\n";
    EXPECT_NE(std::fgets(line.data(), static_cast<int>(line.size()), writer.get()), nullptr) << "the writer failed";
}

INSTANTIATE_TEST_SUITE_P(Chroma_1_5, RealDirectories, testing::Values("1.5.9"));
INSTANTIATE_TEST_SUITE_P(OlderChroma, RealDirectories, testing::Values("0.5.23", "0.4.24"));

}  // namespace
}  // namespace decant::test
