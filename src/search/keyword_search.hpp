#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pg/connection.hpp"
#include "search/filter.hpp"
#include "search/hit.hpp"

namespace decant::search {

struct KeywordQuery {
    std::string text;
    Filter filter = {};
    std::uint64_t limit = 10;
    std::uint64_t offset = 0;
    bool counts = false;  ///< fill KeywordAnswer::matched, for which every product that counts is read
    bool explains = false;
};

/// A word of the question that no product has, and the one that was searched for in its place.
struct Correction {
    std::string written;
    std::string taken_for;
};

struct KeywordAnswer {
    std::vector<Hit>
        hits;  ///< the best first; products of the sku, barcode or model that the question names before all
    std::uint64_t matched = 0;  ///< products that count, on whatever page; 0 unless asked for, or after the last page
    std::vector<Correction> corrections;
    bool has_words = true;  ///< false of a question that has none, or only words like "the"
    bool has_code = false;  ///< the first hit's sku, barcode or model is one that the question names
    std::string plan;       ///< EXPLAIN (ANALYZE); empty unless it was asked for
};

namespace detail {
class Lexicon;
}

/// Products by the words of their name, model, brand, category, description and specifications: stems, plurals,
/// synonyms (decant.synonyms), a beginning for the last word, another spelling for a word that no product has. A
/// product counts when it has more than half of what the question says, where a word says the more the fewer
/// products have it. One connection, one thread at a time.
class WordSearcher {
public:
    /// Throws Error{not_found} where migration 003 was not applied.
    explicit WordSearcher(pg::Connection& db);
    WordSearcher(WordSearcher&&) noexcept;
    ~WordSearcher();

    /// A question may be any text; of one that is very long the beginning counts. Throws as bind, and
    /// Error{request_invalid} for a text with U+0000.
    KeywordAnswer find(const KeywordQuery& query);

private:
    void ask(pg::Statement statement, bool explains, KeywordAnswer& answer);

    pg::Connection& db_;
    std::unique_ptr<detail::Lexicon> lexicon_;
};

/// The same, once.
inline KeywordAnswer find_by_words(pg::Connection& db, const KeywordQuery& query) {
    return WordSearcher{db}.find(query);
}

}  // namespace decant::search
