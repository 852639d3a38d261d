#pragma once

#include <string>
#include <thread>

#include "api/query_embedders.hpp"

namespace decant::api {

/// Embeds what is in the queue, as `decant worker` does, by the server's own models, which questions share in turns.
/// What it cannot mend, as a schema that is not there yet, is told in the log and tried again after a minute. Ends
/// within the batch that is under way.
class QueueWorker {
public:
    /// `embedders` must outlive it.
    QueueWorker(std::string conninfo, QueryEmbedders& embedders);

    /// Does not wait for the end.
    void stop() { thread_.request_stop(); }

private:
    void run(const std::stop_token& stop) const;

    std::string conninfo_;
    QueryEmbedders& embedders_;
    std::jthread thread_;  ///< last: it uses the others
};

}  // namespace decant::api
