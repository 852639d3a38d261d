#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <cmath>
#include <fstream>

#include "core/child_process.hpp"
#include "tests/support/copy_case.hpp"

namespace decant::test {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t records = 300;
constexpr std::size_t dimension = 16;

double cosine_distance(const std::vector<float>& a, const std::vector<float>& b) {
    double dot = 0;
    double norm_a = 0;
    double norm_b = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        dot += static_cast<double>(a[i]) * static_cast<double>(b[i]);
        norm_a += static_cast<double>(a[i]) * static_cast<double>(a[i]);
        norm_b += static_cast<double>(b[i]) * static_cast<double>(b[i]);
    }
    return 1 - dot / std::sqrt(norm_a * norm_b);
}

/// The ten nearest ids, by looking at every record.
std::vector<std::string> nearest(const std::vector<float>& query) {
    std::vector<std::pair<double, std::string>> all;
    for (std::uint64_t number = 0; number < records; ++number) {
        const SourceRecord record = sample_record(number, dimension);
        all.emplace_back(cosine_distance(query, record.vector), record.id);
    }
    std::sort(all.begin(), all.end());
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < 10; ++i)
        ids.push_back(all[i].second);
    return ids;
}

/// Tables of both layouts opened by the real langchain-postgres.
class Langchain : public testing::TestWithParam<std::string> {};

TEST_P(Langchain, FindsTheSameTenNearestAsTheSource) {
    const fs::path source_dir = DECANT_SOURCE_DIR;
    const ProgramResult made = run_program({.argv = {(source_dir / "scripts/make-venv").string(), "langchain"}});
    if (made.exit_code == 77) GTEST_SKIP() << made.output;
    ASSERT_EQ(made.exit_code, 0) << made.output;
    CopyCase with{{.dimension = dimension, .space = "cosine"}};
    with.source().put_samples(0, records);
    const Outcome copied = with.copy({"--layout", GetParam()});
    ASSERT_EQ(copied.exit_code, 0) << copied.told();

    std::vector<std::string> vectors;
    for (std::uint64_t number = 0; number < 5; ++number)
        vectors.push_back(fmt::format("[{}]", fmt::join(sample_record(number, dimension).vector, ",")));
    std::ofstream{with.decant().folder() / "queries"} << fmt::format("[{}]", fmt::join(vectors, ","));
    ThrowawayCluster& cluster = ThrowawayCluster::shared();
    const std::string conninfo = with.decant().conninfo();
    const std::string url =
        fmt::format("postgresql+psycopg://postgres@/{}?host={}&port={}", conninfo.substr(conninfo.rfind('=') + 1),
                    cluster.folder().string(), cluster.port());
    const ProgramResult found = run_program({.argv = {"/bin/sh", "-c", "exec \"$0\" \"$@\" <queries",
                                                      (source_dir / ".deps/venv-langchain/bin/python").string(),
                                                      (source_dir / "tests/support/langchain_search.py").string(),
                                                      GetParam(), url, "products", std::to_string(dimension)},
                                             .directory = with.decant().folder().string()});
    ASSERT_EQ(found.exit_code, 0) << found.output;
    const boost::json::array answers = boost::json::parse(found.output.substr(found.output.find('['))).as_array();
    ASSERT_EQ(answers.size(), 5U);
    for (std::uint64_t number = 0; number < 5; ++number) {
        std::vector<std::string> ids;
        for (const auto& hit : answers[number].as_array())
            ids.emplace_back(hit.at(0).as_string());
        const SourceRecord record = sample_record(number, dimension);
        EXPECT_EQ(ids, nearest(record.vector));
        const boost::json::array& first = answers[number].as_array().front().as_array();
        EXPECT_EQ(first.at(1).as_string(), record.document.value_or(""));
        EXPECT_EQ(first.at(2).as_object().size(), record.metadata.size());
    }
}

INSTANTIATE_TEST_SUITE_P(Long, Langchain, testing::Values("langchain", "langchain-legacy"), [](const auto& layout) {
    std::string name = layout.param;
    std::ranges::replace(name, '-', '_');
    return name;
});

}  // namespace
}  // namespace decant::test
