#pragma once

#include "pg/connection.hpp"

namespace decant::pg {

/// Ends a connection from another thread, when its server is silent: whatever waits for an answer then throws
/// Error{store_unavailable}. Any thread, also after the connection is gone; owns a descriptor of its own.
class ConnectionCut {
public:
    explicit ConnectionCut(Connection& db);
    ConnectionCut(const ConnectionCut&) = delete;
    ConnectionCut& operator=(const ConnectionCut&) = delete;
    ~ConnectionCut();

    void cut() const noexcept;

private:
    int socket_;
};

}  // namespace decant::pg
