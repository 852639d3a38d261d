#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/read_file.hpp"

namespace decant::cli {

/// What `products load` and `sync csv` read.
inline constexpr FileToRead product_file{
    .what = "product file",
    .most_bytes = 1UL << 30U,
    .remedy = "Split it, as in: split -C 500M FILE (CSV: the header line into every part)."};

/// A line on stderr for each column that is none of a product, with the one that may be meant. `done`: "loaded".
void warn_of_columns(const std::vector<std::string>& unknown, std::string_view done);

}  // namespace decant::cli
