#include "tests/embed/contract.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "embed/checked_embedder.hpp"
#include "tests/support/small_embedder.hpp"

namespace decant::embed {
namespace {

/// Providers may compute a text otherwise in a batch than alone, by rounding only.
void expect_close(const TextVector& a, const TextVector& b) {
    ASSERT_EQ(a.values.size(), b.values.size());
    for (std::size_t i = 0; i < a.values.size(); ++i)
        EXPECT_NEAR(a.values[i], b.values[i], 1e-4);
}

double length_of(const TextVector& vector) {
    double squares = 0;
    for (const float value : vector.values)
        squares += double{value} * double{value};
    return std::sqrt(squares);
}

TEST_P(EmbedderContract, SaysWhichModelItIs) {
    const auto embedder = GetParam()();
    const Model& model = embedder->model();
    EXPECT_FALSE(model.provider.empty());
    EXPECT_FALSE(model.name.empty());
    EXPECT_FALSE(model.weights.empty());
    EXPECT_EQ(model.fingerprint(), GetParam()()->model().fingerprint());
}

TEST_P(EmbedderContract, KeepsTheOrderOfTheTextsWhateverTheirLength) {
    const auto embedder = GetParam()();
    std::vector<std::string> owned;
    for (int i = 0; i < 70; ++i)
        owned.push_back("producto " + std::string(static_cast<std::size_t>(i * 37 % 71), 'a') + std::to_string(i));
    const std::vector<std::string_view> texts{owned.begin(), owned.end()};
    const auto vectors = embedder->embed(texts, Role::passage);
    ASSERT_EQ(vectors.size(), texts.size());
    for (const std::size_t place : {0U, 33U, 69U}) {
        const auto alone = embedder->embed(std::span{texts}.subspan(place, 1), Role::passage);
        expect_close(vectors[place], alone.front());
    }
}

TEST_P(EmbedderContract, PassesEveryCheckWithVectorsOfLengthOne) {
    const auto embedder = GetParam()();
    const std::vector<std::string_view> texts{"taladro", "Notebook de 14\" con 16 GB", "ñandú 😀", "taladro"};
    for (const Outcome& outcome : CheckedEmbedder{*embedder}.embed(texts, Role::query)) {
        ASSERT_TRUE(std::holds_alternative<TextVector>(outcome)) << std::get<TextFault>(outcome).reason;
        EXPECT_NEAR(length_of(std::get<TextVector>(outcome)), 1.0, 1e-4);
    }
}

TEST_P(EmbedderContract, TakesNoTextsToo) {
    EXPECT_TRUE(GetParam()()->embed({}, Role::passage).empty());
}

INSTANTIATE_TEST_SUITE_P(Small, EmbedderContract,
                         testing::Values([] { return std::make_unique<test::SmallEmbedder>(); }));

}  // namespace
}  // namespace decant::embed
