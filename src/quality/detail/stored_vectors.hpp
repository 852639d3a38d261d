#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "pg/connection.hpp"

namespace decant::quality {

/// The vectors of `count` active products, or of all where there are fewer, drawn by the seed: the same of the same
/// catalog.
std::vector<std::vector<float>> draw_stored_vectors(pg::Connection& db, std::size_t count, std::uint64_t seed);

}  // namespace decant::quality
