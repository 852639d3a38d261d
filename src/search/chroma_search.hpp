#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "chroma/source.hpp"
#include "pg/connection.hpp"
#include "search/hit.hpp"
#include "search/vector_search.hpp"

namespace decant::search {

struct ChromaAnswer {
    std::vector<Hit> hits;         ///< the nearest first, every product once
    std::uint64_t compared = 0;    ///< records looked at: all of a directory, as many as a server gave
    std::uint64_t unknown = 0;     ///< of the nearest, until enough hits were found: the catalog has no such product
    std::uint64_t unusable = 0;    ///< records without a vector or a distance that compares
    std::string cut;               ///< why products that pass may be missing; empty: none is
    std::uint64_t held_bytes = 0;  ///< of memory that keeps a directory's vectors for the next question
};

/// Searches a collection of Chroma for products: the leg of strategies chroma_primary and hybrid.
///
/// A directory's vectors are read once, held in memory (chroma/vector_table) and compared one by one, so that the order
/// is exact and goes on to the last record; they are read again when the collection changes. A server is asked through
/// its index, for four times as many records when too few pass. Either way the filter and all that is shown is the
/// catalog's, and the similarity is the cosine: of a server's collection in space cosine 1 - distance, of others it is
/// computed from the vectors that come with the answer. Where those are not of length 1, the server's l2 or ip may
/// order records otherwise than the cosine, and near ones be missed.
///
/// Any number of threads may search at once, each with a database connection of its own; connections to the server are
/// kept for the next question. Settings are read when it is made; it needs them no longer.
class ChromaSearch {
public:
    /// A server is given so long for one answer, tries and growing questions included: longer than it takes to load a
    /// collection's index at the first question, shorter than a person waits before looking elsewhere. pgvector and the
    /// keywords answer in milliseconds and still come after it.
    static constexpr std::chrono::milliseconds most_server_time{5'000};

    /// `server_time` is for tests.
    ChromaSearch(chroma::SourceAddress address, std::string collection,
                 std::chrono::milliseconds server_time = most_server_time);
    ~ChromaSearch();

    /// None when Chroma is not configured. It is when CHROMA_URL or CHROMA_PATH is set, wherever, or when there is
    /// something at CHROMA_PATH's default. Nothing is opened, so that what is wrong with Chroma is find()'s to tell.
    /// Throws Error{config_invalid}, Error{request_invalid} as chroma::source_address.
    static std::unique_ptr<ChromaSearch> from(const Settings& settings);

    /// For messages: "collection 'products' of http://localhost:8000".
    std::string place() const;

    /// As many hits as were asked for, whenever so many pass filter and threshold; else `cut` says why. Of the query,
    /// recall, facets and explains are pgvector's.
    /// Throws Error: dimension_mismatch; request_invalid for a vector without direction; what bind() and
    /// chroma::DirectoryVectors or chroma::ServerQuery throw: timed_out, source_unavailable, source_unreadable and
    /// their kin are Chroma's, store_unavailable is PostgreSQL's, without which there is no answer; cancelled.
    ChromaAnswer find(const VectorQuery& query, pg::Connection& db, const std::stop_token& stop = {}) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace decant::search
