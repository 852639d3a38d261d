#include "pg/connection_cut.hpp"

#include <fcntl.h>
#include <libpq-fe.h>
#include <sys/socket.h>
#include <unistd.h>

namespace decant::pg {

// A copy: the number of libpq's own may be another file's as soon as that is closed.
ConnectionCut::ConnectionCut(Connection& db) : socket_(::fcntl(PQsocket(db.native()), F_DUPFD_CLOEXEC, 0)) {}

ConnectionCut::~ConnectionCut() {
    if (socket_ >= 0) ::close(socket_);
}

void ConnectionCut::cut() const noexcept {
    if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
}

}  // namespace decant::pg
