#pragma once

#include <stop_token>

#include "pg/connection_cut.hpp"

namespace decant::pg {

/// Cuts the connection when `stop` is asked for, so that whatever waits for its server ends at once, be the server
/// silent, with Error{store_unavailable}. The server finds out by itself; for statements that it should not finish
/// there is CancelOnStop, which needs a server that answers.
class CutOnStop {
public:
    CutOnStop(Connection& db, const std::stop_token& stop) : cut_(db), callback_(stop, Cut{&cut_}) {}

private:
    struct Cut {
        const ConnectionCut* connection;
        void operator()() const noexcept { connection->cut(); }
    };
    ConnectionCut cut_;
    std::stop_callback<Cut> callback_;  ///< last: it uses the other
};

}  // namespace decant::pg
