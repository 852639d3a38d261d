#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/copy_case.hpp"

namespace decant::test {
namespace {

using testing::HasSubstr;

std::vector<std::string> committed_directories() {
    std::vector<std::string> names;
    for (const auto& file : std::filesystem::recursive_directory_iterator{DECANT_SOURCE_DIR "/tests/fixtures/chroma"}) {
        if (file.path().string().ends_with(".tar.gz")) names.push_back(file.path().string());
    }
    return names;
}

TEST(Copy, LandsEveryCommittedDirectoryEqualToItsSource) {
    for (const std::string& archive : committed_directories()) {
        const DecantProgram decant{ThrowawayCluster::shared().create_database()};
        ASSERT_EQ(std::system(fmt::format("tar -xzf {} -C {}", archive, decant.folder().string()).c_str()), 0);
        std::string name = std::filesystem::path{archive}.filename().string();
        name.resize(name.find('.'));
        const Outcome copied = decant.run({"copy", "--from", name, "--all-collections", "--allow-partial"});
        EXPECT_THAT(copied.exit_code, testing::AnyOf(0, 1)) << archive << ": " << copied.told();
        const Outcome verified = decant.run({"verify"});
        EXPECT_EQ(verified.exit_code, 0) << archive << ": " << verified.told();
    }
}

TEST(Copy, CopiesIntoAFreshDatabase) {
    CopyCase with;
    with.source().put_samples(0, 250);
    const auto report = with.copied({"--batch-size", "100"});
    EXPECT_EQ(count_of(report, "copied"), 250U);
    EXPECT_TRUE(report.at("verification").at("equal").as_bool());
    EXPECT_EQ(with.value("SELECT count(*) FROM products"), "250");
}

TEST(Copy, CopiesNothingTheSecondTime) {
    CopyCase with;
    with.source().put_samples(0, 250);
    const auto first = with.copied({"--batch-size", "100"});
    const auto second = with.copied({"--batch-size", "70"});
    EXPECT_EQ(count_of(second, "unchanged"), 250U);
    EXPECT_EQ(count_of(second, "bytes"), 0U);
    EXPECT_EQ(second.at("root"), first.at("root"));
}

TEST(Copy, CarriesChangedAndNewRecordsAndLeavesRemovedOnes) {
    CopyCase with;
    with.source().put_samples(0, 250);
    with.copied();
    with.source().put_samples(10, 20, 1);
    with.source().put_samples(250, 30);
    with.source().remove(std::array<std::string, 2>{"record-000000", "record-000249"});
    const auto report = with.copied({"--batch-size", "100"});
    EXPECT_EQ(count_of(report, "updated"), 20U);
    EXPECT_EQ(count_of(report, "copied"), 30U);
    EXPECT_EQ(count_of(report, "unchanged"), 228U);
    EXPECT_EQ(count_of(report, "kept"), 2U);
    EXPECT_EQ(with.value("SELECT count(*) FROM products"), "280");
    EXPECT_EQ(with.verify("source").exit_code, 0);
    EXPECT_EQ(with.verify("digests").exit_code, 0);
}

TEST(Copy, RemovesWithPruneWhatTheSourceDoesNotHave) {
    CopyCase with;
    with.source().put_samples(0, 250);
    with.copied();
    with.source().remove(std::array<std::string, 3>{"record-000000", "record-000100", "record-000249"});
    const auto report = with.copied({"--batch-size", "100", "--prune"});
    EXPECT_EQ(count_of(report, "pruned"), 3U);
    EXPECT_EQ(with.value("SELECT count(*) FROM products"), "247");
    EXPECT_EQ(with.verify("source").exit_code, 0);
    EXPECT_EQ(with.verify("digests").exit_code, 0);
}

TEST(Copy, PrunesWhatARunWithoutPruneLeftBeforeItWasKilled) {
    CopyCase with;
    with.source().put_samples(0, 250);
    with.copied({"--index", "none"});
    with.source().remove(std::array<std::string, 1>{"record-000100"});
    with.decant().run(with.copy_arguments({"--index", "none"}), {"DECANT_FAILPOINT=copy.loaded:1"});
    const auto report = with.copied({"--index", "none", "--prune"});
    EXPECT_EQ(count_of(report, "pruned"), 1U);
    EXPECT_EQ(count_of(report, "kept"), 0U);
    EXPECT_EQ(with.value("SELECT count(*) FROM products"), "249");
}

TEST(Copy, BuildsTheIndexThatAKilledRunWasNotAskedFor) {
    constexpr const char* methods =
        "SELECT string_agg(substring(indexdef FROM 'USING ([a-z]+)'), ' ' ORDER BY indexname) FROM pg_indexes "
        "WHERE tablename = 'products'";
    for (const auto& [failpoint, option] : {std::pair{"copy.indexed:1", "--prune"}, {"copy.swapped:1", "--replace"}}) {
        CopyCase with;
        with.source().put_samples(0, 20);
        with.exec("CREATE EXTENSION IF NOT EXISTS vector");
        if (std::string_view{option} == "--replace") with.exec("CREATE TABLE products (mine int)");
        const std::vector<std::string> bare = with.copy_arguments({"--index", "none", option});
        EXPECT_EQ(with.decant().run(bare, {std::string{"DECANT_FAILPOINT="} + failpoint}).exit_code, 137);
        EXPECT_EQ(with.value(methods), "btree") << failpoint;
        EXPECT_TRUE(with.copied({option}).at("resumed").as_bool());
        EXPECT_EQ(with.value(methods), "hnsw gin btree") << failpoint;
    }
}

TEST(Copy, PutsBackWhatWasChangedInTheTable) {
    CopyCase with;
    with.source().put_samples(0, 250);
    with.copied();
    const std::string before = with.content();
    with.exec(
        "UPDATE products SET document = 'other' WHERE id = 'record-000007'; DELETE FROM products WHERE id = "
        "'record-000011'");
    const auto report = with.copied();
    EXPECT_EQ(count_of(report, "updated"), 1U);
    EXPECT_EQ(count_of(report, "copied"), 1U);
    EXPECT_EQ(with.content(), before);
}

TEST(Copy, StopsAtATableOfOtherOrigin) {
    CopyCase with;
    with.source().put_samples(0, 10);
    with.exec(
        "CREATE TABLE products (id text PRIMARY KEY, document text, metadata jsonb, embedding vector(32)); "
        "INSERT INTO products VALUES ('mine', 'own', '{}', NULL)");
    const Outcome outcome = with.copy();
    EXPECT_EQ(outcome.exit_code, 75) << outcome.told();
    EXPECT_THAT(outcome.err, HasSubstr("conflict"));
    EXPECT_THAT(outcome.err, HasSubstr("--replace"));
    EXPECT_EQ(with.value("SELECT string_agg(id, ',') FROM products"), "mine");
}

TEST(Copy, KeepsTheTypesOfMetadataExactly) {
    CopyCase with;
    SourceRecord record = sample_record(1, 32);
    record.metadata = {{"whole_float", 3.0},
                       {"integer", std::int64_t{3}},
                       {"past_double", (std::int64_t{1} << 53) + 1},
                       {"least", std::numeric_limits<std::int64_t>::min()},
                       {"huge", 1e300},
                       {"tiny", 1e-300},
                       {"third", 1.0 / 3},
                       {"yes", true},
                       {"text", std::string{"3"}}};
    with.source().put({record});
    with.copied();
    const auto text = [&](const std::string& key) {
        return with.value("SELECT (metadata->'" + key + "')::text FROM products");
    };
    EXPECT_EQ(text("whole_float"), "3.0");
    EXPECT_EQ(text("integer"), "3");
    EXPECT_EQ(text("past_double"), "9007199254740993");
    EXPECT_EQ(text("least"), "-9223372036854775808");
    EXPECT_EQ(text("yes"), "true");
    EXPECT_EQ(text("text"), "\"3\"");
    EXPECT_EQ(std::stod(text("huge")), 1e300);
    EXPECT_EQ(std::stod(text("tiny")), 1e-300);
    EXPECT_EQ(std::stod(text("third")), 1.0 / 3);
}

class SpaceOfACopy : public testing::TestWithParam<std::pair<std::string, std::string>> {};

TEST_P(SpaceOfACopy, ChoosesTheOperatorClassAndAQueryThatUsesTheIndex) {
    const auto& [space, operator_class] = GetParam();
    CopyCase with{{.dimension = 32, .space = space}};
    with.source().put_samples(0, 1500);
    const Outcome outcome =
        with.decant().run({"copy", "--from", with.source().path().string(), "--collection", "products"});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.told();
    EXPECT_THAT(with.value("SELECT indexdef FROM pg_indexes WHERE tablename = 'products' AND indexdef ~ 'hnsw'"),
                HasSubstr(operator_class));
    const std::size_t start = outcome.out.find("SELECT id");
    const std::string query = outcome.out.substr(start, outcome.out.find(';', start) - start);
    auto db = with.open();
    const pg::Result plan = db.exec("EXPLAIN " + query);
    std::string lines;
    for (int row = 0; row < plan.rows(); ++row)
        lines += std::string{plan.text(row, 0)} + "\n";
    EXPECT_THAT(lines, HasSubstr("Index Scan using products_embedding_hnsw")) << query;
    EXPECT_EQ(db.exec(query).rows(), 10);
}

INSTANTIATE_TEST_SUITE_P(Copy, SpaceOfACopy,
                         testing::Values(std::pair{"l2", "vector_l2_ops"}, std::pair{"cosine", "vector_cosine_ops"},
                                         std::pair{"ip", "vector_ip_ops"}),
                         [](const auto& instance) { return instance.param.first; });

TEST(Copy, M12_ProposesHalfvecForMoreDimensionsThanAnIndexTakes) {
    CopyCase with{{.dimension = 2001}};
    with.source().put_samples(0, 3);
    const Outcome outcome = with.copy();
    EXPECT_EQ(outcome.exit_code, 65) << outcome.told();
    EXPECT_THAT(outcome.err, HasSubstr("2001"));
    EXPECT_THAT(outcome.err, HasSubstr("--type halfvec"));
    EXPECT_EQ(with.value("SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace "
                         "WHERE nspname = 'decant' OR relname = 'products'"),
              "0");
}

TEST(Copy, M12_RoundsToHalfvecAsPostgresqlDoesBitForBit) {
    CopyCase with{{.dimension = 2001, .space = "cosine"}};
    with.source().put_samples(0, 40);
    with.copied({"--type", "halfvec"});
    EXPECT_EQ(with.verify("source").exit_code, 0);
    EXPECT_THAT(with.value("SELECT indexdef FROM pg_indexes WHERE indexdef ~ 'hnsw'"), HasSubstr("halfvec_cosine_ops"));
    // Record 7 rounded by the server itself.
    std::string literal;
    for (const float value : sample_record(7, 2001).vector)
        literal += fmt::format("{}{}", literal.empty() ? "[" : ",", value);
    EXPECT_EQ(with.value("SELECT halfvec_send(embedding) = halfvec_send('" + literal +
                         "]'::vector::halfvec) FROM products WHERE id = 'record-000007'"),
              "t");
}

}  // namespace
}  // namespace decant::test
