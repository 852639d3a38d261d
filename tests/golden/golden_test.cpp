// Every .golden file of this folder is a test: its commands must write what it says.
// UPDATE_GOLDEN=1 in the environment writes the files anew instead (scripts/update-golden).

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/golden/transcript.hpp"
#include "tests/support/fake_chroma.hpp"
#include "tests/support/fake_ollama.hpp"
#include "tests/support/throwaway_cluster.hpp"

namespace decant::test {
namespace {

namespace fs = std::filesystem;

/// CHROMA_SERVER is the URL of a stand-in for a Chroma server that takes the token "right" and has a collection
/// products. OLLAMA_SERVER is the URL of a stand-in for Ollama that has the model all-minilm, and bge-m3 in its
/// registry. sample unpacks the sample catalog; fixture VERSION/CASE unpacks a Chroma directory into the folder CASE;
/// sql runs SQL as the superuser; hold SQL leaves a transaction open that has run SQL, until release.
constexpr const char* prelude = R"sh(
set -o pipefail
sample() {
    tar -xzf "$SAMPLE/chroma.tar.gz"
    gunzip <"$SAMPLE/products.jsonl.gz" >products.jsonl
}
fixture() { tar -xzf "$FIXTURES/$1.tar.gz"; }
sql() { LD_LIBRARY_PATH=$POSTGRES/lib "$POSTGRES/bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }
holders="FROM pg_stat_activity WHERE application_name = 'holder' AND datname = current_database()"
hold() {
    PGAPPNAME=holder sql -c BEGIN -c "$1" -c 'SELECT pg_sleep(600)' </dev/null >/dev/null 2>&1 &
    until [ "$(sql -c "SELECT count(*) $holders AND query LIKE '%pg_sleep(600)'")" = 1 ]; do sleep 0.02; done
}
release() {
    sql -c "SELECT pg_terminate_backend(pid) $holders" >/dev/null
    until [ "$(sql -c "SELECT count(*) $holders")" = 0 ]; do sleep 0.02; done
}
)sh";

std::string read(const fs::path& path) {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

bool is_update() {
    const char* wanted = std::getenv("UPDATE_GOLDEN");
    return wanted != nullptr && std::string_view{wanted} == "1";
}

class GoldenTest : public testing::Test {
public:
    explicit GoldenTest(fs::path file) : file_(std::move(file)) {}

    void TestBody() override {
        ThrowawayCluster& cluster = ThrowawayCluster::shared();
        const std::string conninfo = cluster.create_database();
        const std::string expected = read(file_);
        FakeChroma server{FakeChroma::Api::v2};
        server.add_collection("products");
        server.put_samples("products", 0, 250, 8);
        server.require_header("authorization", "Bearer right");
        auto variables = environment(cluster, conninfo);
        variables["CHROMA_SERVER"] = server.url();
        FakeOllama ollama{{.name = "all-minilm", .digest = std::string(64, 'a'), .dimension = 384, .context = 256}};
        ollama.put({.name = "llama3.2", .digest = std::string(64, 'b'), .capabilities = {"completion", "tools"}});
        ollama.publish({.name = "bge-m3", .digest = std::string(64, 'c'), .dimension = 1024, .context = 8192});
        variables["OLLAMA_SERVER"] = ollama.url();
        TranscriptRunner runner{std::move(variables), prelude};
        const std::string actual = to_text(runner.run(parse_transcript(expected)));
        if (is_update()) {
            std::ofstream{file_, std::ios::binary} << actual;
        } else {
            EXPECT_EQ(actual, expected) << file_ << ": look at the difference; scripts/update-golden takes it over";
        }
    }

private:
    static std::string value_of(const std::string& conninfo, const std::string& key) {
        const std::size_t start = conninfo.find(key + "=");
        if (start == std::string::npos) throw std::runtime_error("no " + key + " in " + conninfo);
        const std::size_t value = start + key.size() + 1;
        return conninfo.substr(value, conninfo.find(' ', value) - value);
    }

    static TranscriptRunner::Environment environment(const ThrowawayCluster& cluster, const std::string& conninfo) {
        return {{"PATH", fmt::format("{}:/usr/bin:/bin", fs::path{DECANT_BINARY}.parent_path().string())},
                {"FIXTURES", DECANT_SOURCE_DIR "/tests/fixtures/chroma"},
                {"SAMPLE", DECANT_SOURCE_DIR "/sample"},
                {"POSTGRES", cluster.installation().folder().string()},
                {"PGHOST", value_of(conninfo, "host")},
                {"PGPORT", value_of(conninfo, "port")},
                {"PGUSER", value_of(conninfo, "user")},
                {"PGDATABASE", value_of(conninfo, "dbname")},
                // Similarities are the same on every processor then, also on those without 8-bit instructions.
                {"DECANT_EMBEDDING_PRECISION", "f32"}};
    }

    fs::path file_;
};

std::string test_name_of(const fs::path& file) {
    std::string name = file.stem().string();
    std::ranges::replace(name, '-', '_');
    return name;
}

const bool are_registered = [] {
    for (const auto& entry : fs::directory_iterator{DECANT_SOURCE_DIR "/tests/golden"}) {
        if (entry.path().extension() != ".golden") continue;
        const fs::path file = entry.path();
        testing::RegisterTest("Golden", test_name_of(file).c_str(), nullptr, nullptr, __FILE__, __LINE__,
                              [file] { return new GoldenTest{file}; });
    }
    return true;
}();

}  // namespace
}  // namespace decant::test
