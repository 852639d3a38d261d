#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "pg/connection.hpp"

namespace decant::store {

/// The words and phrases that mean the same to a search by words, as they were written, in the order in which they
/// came.
using SynonymGroup = std::vector<std::string>;

/// The table decant.synonyms. A word is in one group at most: who says of words of two groups that they mean the same
/// makes them one. Words are the same in any case, without accents and punctuation.
class SynonymStore {
public:
    /// Throws Error{not_found} where migration 003 was not applied.
    explicit SynonymStore(pg::Connection& db);

    struct Added {
        SynonymGroup group;      ///< all of it
        std::size_t words = 0;   ///< that are new
        std::size_t joined = 0;  ///< groups that there were before and that are now one; 0 or 1: as before
    };
    struct Removed {
        SynonymGroup left;  ///< what of the group still means the same; empty: the group is gone
        std::string word;   ///< as it was written
    };

    /// By the group that came first.
    std::vector<SynonymGroup> list();
    /// Throws Error{request_invalid} for what is no group (catalog::synonym_fault).
    Added add(std::span<const std::string> words);
    /// All or none; as add, once a group.
    std::vector<Added> add_all(std::span<const SynonymGroup> groups);
    /// A word that is left alone goes too. Throws Error{not_found} naming the nearest word.
    Removed remove(const std::string& word);

private:
    Added add_locked(std::span<const std::string> words);

    pg::Connection& db_;
};

}  // namespace decant::store
