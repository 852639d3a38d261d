#include "catalog/dot_products.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace decant::catalog {
namespace {

RC_GTEST_PROP(DotProducts, AreThoseOfAPlainLoop, ()) {
    const auto dimension = *rc::gen::inRange<std::size_t>(1, 100);
    const auto rows = *rc::gen::inRange<std::size_t>(0, 40);
    const std::size_t length = padded_length(dimension);
    const auto value =
        rc::gen::map(rc::gen::inRange(-1'000, 1'001), [](int n) { return static_cast<float>(n) / 1e3F; });
    std::vector<float> query = *rc::gen::container<std::vector<float>>(dimension, value);
    query.resize(length);
    std::vector<float> matrix = *rc::gen::container<std::vector<float>>(rows * length, value);
    std::vector<float> out(rows);
    dot_products(matrix.data(), query, out);
    for (std::size_t row = 0; row < rows; ++row) {
        double expected = 0;
        for (std::size_t i = 0; i < dimension; ++i)
            expected += static_cast<double>(query[i]) * static_cast<double>(matrix[row * length + i]);
        RC_ASSERT(std::abs(static_cast<double>(out[row]) - expected) < 1e-5 * static_cast<double>(dimension));
    }
}

TEST(DotProducts, NeedNoAlignmentBeyondThatOfFloats) {
    std::vector<float> query(padded_length(20), 0.0F);
    std::fill_n(query.begin(), 20, 2.0F);
    std::vector<float> rows(1 + 3 * query.size(), 1.0F);
    std::vector<float> out(3);
    dot_products(rows.data() + 1, query, out);
    EXPECT_EQ(out, std::vector<float>(3, 40.0F));
}

TEST(DotProducts, FillRowsUpToWholeBlocks) {
    EXPECT_EQ(padded_length(0), 0U);
    EXPECT_EQ(padded_length(1), row_floats);
    EXPECT_EQ(padded_length(384), 384U);
    EXPECT_EQ(padded_length(385), 384U + row_floats);
}

}  // namespace
}  // namespace decant::catalog
