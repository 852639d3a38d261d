#include "migrate/recall.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace decant::migrate {
namespace {

std::vector<std::vector<float>> random_vectors(std::size_t count, std::size_t dimension) {
    std::mt19937 random{7};
    std::normal_distribution<float> value;
    std::vector<std::vector<float>> out(count, std::vector<float>(dimension));
    for (auto& vector : out) {
        for (float& element : vector)
            element = value(random);
    }
    return out;
}

double distance(catalog::Space space, const std::vector<float>& a, const std::vector<float>& b) {
    double dot = 0;
    double squares_a = 0;
    double squares_b = 0;
    double squared = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double x = static_cast<double>(a[i]);
        const double y = static_cast<double>(b[i]);
        dot += x * y;
        squares_a += x * x;
        squares_b += y * y;
        squared += (x - y) * (x - y);
    }
    if (space == catalog::Space::ip) return -dot;
    return space == catalog::Space::l2 ? std::sqrt(squared) : 1 - dot / std::sqrt(squares_a * squares_b);
}

class KthDistance : public testing::TestWithParam<catalog::Space> {};

TEST_P(KthDistance, IsThatOfAPlainSort) {
    const auto vectors = random_vectors(333, 19);
    const std::vector<std::vector<float>> queries(vectors.begin(), vectors.begin() + 7);
    ExactNeighbours exact{GetParam(), queries};
    for (const auto& vector : vectors)
        exact.add(vector);
    const auto kth = exact.kth_distances();
    for (std::size_t q = 0; q < queries.size(); ++q) {
        std::vector<double> all;
        for (const auto& vector : vectors)
            all.push_back(distance(GetParam(), queries[q], vector));
        std::nth_element(all.begin(), all.begin() + recall_k - 1, all.end());
        EXPECT_NEAR(kth[q], all[recall_k - 1], 1e-3);
        EXPECT_GE(kth[q], all[recall_k - 1]);
    }
}

INSTANTIATE_TEST_SUITE_P(Spaces, KthDistance,
                         testing::Values(catalog::Space::l2, catalog::Space::cosine, catalog::Space::ip));

TEST(ExactNeighbours, GivesInfinityWhenThereAreLessThanK) {
    const auto vectors = random_vectors(5, 4);
    ExactNeighbours exact{catalog::Space::l2, {vectors[0]}};
    for (const auto& vector : vectors)
        exact.add(vector);
    EXPECT_TRUE(std::isinf(exact.kth_distances()[0]));
}

}  // namespace
}  // namespace decant::migrate
