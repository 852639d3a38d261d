#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/enum_names.hpp"
#include "core/error.hpp"
#include "search/hit.hpp"

namespace decant::search {

/// One way of finding products: vectors in PostgreSQL, vectors in Chroma, words in PostgreSQL.
enum class Leg { pgvector, chroma, keyword };
inline constexpr EnumNames<Leg, 3> leg_names{{"pgvector", "chroma", "keyword"}};

/// Which legs are asked, and in what order. The last three ask one leg and never another.
enum class Strategy { pgvector_primary, chroma_primary, hybrid, fusion, pgvector, chroma, keyword };
inline constexpr EnumNames<Strategy, 7> strategy_names{
    {"pgvector_primary", "chroma_primary", "hybrid", "fusion", "pgvector", "chroma", "keyword"}};

/// What a leg is asked for: the best `limit` products, the best first.
struct LegQuery {
    std::uint64_t limit = 10;
    bool below_threshold = false;  ///< of a leg with a threshold: those under it too
};
struct LegAnswer {
    std::vector<Hit> hits;
    double threshold = -1;  ///< the least similarity that counts
};
using LegSearch = std::function<LegAnswer(const LegQuery&)>;

/// The legs that there are; an empty one is switched off or not configured.
struct Legs {
    LegSearch pgvector = {};
    LegSearch chroma = {};  ///< may be called beside pgvector, in a thread of its own
    LegSearch keyword = {};
    double keyword_weight = 0.6;  ///< of fusion, from 0 to 1
};

/// What one leg gave, in the order in which they were asked.
struct LegReport {
    Leg leg;
    std::uint64_t found = 0;
    double milliseconds = 0;
    std::optional<Error> failure = {};
};

struct StrategyOutcome {
    std::vector<Hit> hits;
    std::string used;       ///< the leg that answered, or "hybrid", "fusion"
    bool degraded = false;  ///< a leg that the strategy asks first failed, so others had to answer
    std::string reason;     ///< why another leg answered than the first; empty where none did
    std::vector<LegReport> legs;
};

/// A leg that gives fewer has the next one asked.
inline constexpr std::size_t enough_hits = 2;

/// At most `limit` hits. The failure of a leg is told of in the outcome; where every leg that was asked failed, or the
/// only one is not there, the first failure is thrown.
StrategyOutcome run_strategy(Strategy strategy, const Legs& legs, std::uint64_t limit);

}  // namespace decant::search
