#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "pg/connection.hpp"

namespace decant::search::detail {

/// The words of the catalog with how often they stand in it: all of brands, categories and synonyms, and those of up to
/// some thousand products. Read when a word is first looked up, and again when it is some minutes old.
class Lexicon {
public:
    /// The word that `folded` is most likely a misspelling of, with its accents: the same but for them, one edit apart,
    /// or two of a longer word; of several the most frequent.
    std::optional<std::string> nearest(pg::Connection& db, std::string_view folded);

private:
    void load(pg::Connection& db);
    void add(std::string_view text);

    struct Word {
        std::string written;
        std::uint32_t count = 0;
    };
    std::unordered_map<std::string, Word> words_;  ///< by the folded word
    std::optional<std::chrono::steady_clock::time_point> loaded_;
};

}  // namespace decant::search::detail
