#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "search/hit.hpp"
#include "store/experiment_store.hpp"

namespace decant::quality {

/// What of an experiment needs no database: which arm a unit has, and answers of two arms in one. Pure.

/// "pgvector_primary:50,fusion:50"; without a weight an arm has 1. Throws Error{request_malformed} for less than two
/// arms, one that is no strategy or stands twice, and a weight that is not 1 to 1000.
std::vector<store::Arm> parse_arms(std::string_view text);

/// 32 hexadecimal digits that stand for a user or session in one experiment and nowhere else.
std::string unit_digest(std::string_view experiment, std::string_view unit);

/// Its number. The same for the same digest as long as arms and weights are the same.
std::size_t arm_of(const std::vector<store::Arm>& arms, std::string_view digest);

/// An answer made of two, and whose each of its products is.
struct Interleaved {
    std::vector<search::Hit> hits;
    std::vector<std::string> first;  ///< ids of what the first answer gave
    std::vector<std::string> second;
};

/// At most `limit` hits. The arms choose in turns, each its best that is not chosen yet; who begins a round, `toss`
/// decides. Source: Radlinski, Kurup, Joachims, "How does clickthrough data reflect retrieval quality?", CIKM 2008
/// (team-draft interleaving).
Interleaved interleave(const std::vector<search::Hit>& first, const std::vector<search::Hit>& second, std::size_t limit,
                       std::uint64_t toss);

/// Of the same unit and question the same, so that pages of one answer fit together.
std::uint64_t toss_of(std::string_view digest, std::string_view question);

}  // namespace decant::quality
