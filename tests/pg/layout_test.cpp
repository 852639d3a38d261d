#include <array>
#include <string>

#include "tests/support/copy_case.hpp"

namespace decant::test {
namespace {

struct LayoutCase {
    std::string name;
    std::string ids_sql;
};

class LayoutOfACopy : public testing::TestWithParam<LayoutCase> {};

TEST_P(LayoutOfACopy, KeepsWithPruneTheRowsOfRecordsThatTheSourceHasButCannotGive) {
    CopyCase with;
    with.source().put_samples(0, 6);
    const std::vector<std::string> layout{"--layout", GetParam().name, "--index", "none"};
    ASSERT_EQ(with.copy(layout).exit_code, 0);
    SourceRecord rejected = sample_record(2, 32);
    rejected.document = std::string{"a\0b", 3};
    with.source().put({rejected});
    with.source().lose_vector("record-000003");
    with.source().remove(std::array<std::string, 1>{"record-000004"});

    std::vector<std::string> pruning = layout;
    pruning.insert(pruning.end(), {"--prune", "--allow-partial"});
    const Outcome outcome = with.copy(pruning);
    EXPECT_EQ(outcome.json().at("layout").at("pruned").to_number<int>(), 1) << outcome.told();
    EXPECT_EQ(with.value(GetParam().ids_sql), "record-000000 record-000001 record-000002 record-000003 record-000005");
}

INSTANTIATE_TEST_SUITE_P(
    Layouts, LayoutOfACopy,
    testing::Values(LayoutCase{"langchain", "SELECT string_agg(langchain_id, ' ' ORDER BY langchain_id) FROM products"},
                    LayoutCase{"langchain-legacy",
                               "SELECT string_agg(id, ' ' ORDER BY id) FROM langchain_pg_embedding"}),
    [](const auto& each) { return each.param.name == "langchain" ? "langchain" : "legacy"; });

}  // namespace
}  // namespace decant::test
