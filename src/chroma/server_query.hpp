#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>

#include "chroma/source.hpp"

namespace decant::chroma {

/// What a search waits for a server.
struct ServerPatience {
    std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
    std::stop_token stop = {};
};

/// Asks one collection of a Chroma server for the records nearest to a vector, by the server's own index. One
/// connection, one thread at a time. Throws what detail::ServerApi throws, each request tried at most twice;
/// Error{not_found}, Error{conflict} as find_collection; past the deadline Error{timed_out}, once stopped
/// Error{cancelled}.
class ServerQuery {
public:
    /// Connects nothing yet.
    ServerQuery(SourceAddress address, CollectionName collection);
    ~ServerQuery();

    /// For all calls from now on.
    void limit(const ServerPatience& patience);

    /// Looked for at first, and again when it had no dimension or was forgotten.
    const Collection& collection();
    bool knows_collection() const noexcept;
    void forget_collection() noexcept;
    std::uint64_t count();

    struct Question {
        std::span<const float> vector;  ///< of the collection's dimension, finite
        std::size_t count;              ///< of records to find
        bool wants_vectors = false;     ///< of these too
    };
    struct Nearest {
        std::span<const Record> records;    ///< in the server's order, with metadata, without document
        std::span<const double> distances;  ///< in the collection's space; NaN for one that is no number
    };
    /// As many as asked for, fewer where the index finds no more, or one more: 0.4 miscounts where part of its index is
    /// in the queue. Views live until the next call.
    Nearest nearest(const Question& question);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace decant::chroma
