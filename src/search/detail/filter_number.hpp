#pragma once

#include <cstdint>
#include <string>

namespace decant::search::detail {

/// A number of a filter as Chroma compares it, in digits that numeric and JSON take.
struct FilterNumber {
    std::string whole;      ///< what integers are compared with
    std::string real_low;   ///< what floats are compared with: two neighbours are taken for equal, see read_by_chroma
    std::string real_high;  ///< most often the same
    bool is_one = false;    ///< all three are one number
};

FilterNumber number_of(std::int64_t whole);
FilterNumber number_of(double real);

/// What Chroma takes a finite double for when it comes as JSON, which is how its client sends filters and how it stores
/// metadata: with many digits, one unit in the last place beside it. So a stored 0.1234567890123456 may differ from the
/// number that was given, and is still found by it.
/// Source: serde_json 1.0 without its feature float_roundtrip; checked against chromadb 1.5.9.
double read_by_chroma(double value);

}  // namespace decant::search::detail
