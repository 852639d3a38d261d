// The server's models: one for each model that the column of vectors is told to be of.

#include "api/query_embedders.hpp"

#include <gtest/gtest.h>

#include <array>

#include "tests/support/small_embedder.hpp"

namespace decant::api {
namespace {

const std::optional<store::ColumnModel> other{{.provider = "test", .name = "other", .dimension = 8}};

class QueryEmbeddersTest : public testing::Test {
protected:
    std::vector<std::string> opened_;
    QueryEmbedders embedders_{[this](const std::optional<store::ColumnModel>& column) {
        opened_.push_back(column ? column->name : "the settings'");
        return std::make_unique<test::SmallEmbedder>();
    }};
};

TEST_F(QueryEmbeddersTest, OpensEachModelOnceAndWhenItIsFirstAsked) {
    EXPECT_EQ(embedders_.of(other), embedders_.of(other));
    EXPECT_NE(embedders_.of(other), embedders_.of(std::nullopt));
    EXPECT_TRUE(opened_.empty());
    for (int times = 0; times < 2; ++times)
        embedders_.of(other)->require();
    EXPECT_EQ(opened_, std::vector<std::string>{"other"});
}

TEST_F(QueryEmbeddersTest, FollowsTheColumnAndKeepsTheOneBeforeForAWhile) {
    const auto before = embedders_.current();
    EXPECT_FALSE(embedders_.follow(std::nullopt));
    EXPECT_TRUE(embedders_.follow(other));
    EXPECT_EQ(embedders_.column(), other);
    EXPECT_EQ(embedders_.current(), embedders_.of(other));
    EXPECT_EQ(embedders_.of(std::nullopt), before) << "a standby may still have its vectors";
}

TEST_F(QueryEmbeddersTest, RemembersQuestionsOfEachModelApart) {
    const std::array<std::string_view, 1> text{"lijas"};
    embedders_.of(other)->embed(text, embed::Role::query);
    embedders_.of(std::nullopt)->embed(text, embed::Role::query);
    EXPECT_EQ(opened_, (std::vector<std::string>{"other", "the settings'"}))
        << "a vector of the other model was given as one of this";
}

}  // namespace
}  // namespace decant::api
