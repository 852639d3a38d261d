#pragma once

namespace decant {

/// A TCP port of 127.0.0.1 that nobody listens on now; somebody may take it before the caller does.
/// Throws Error{internal} when there is none.
int free_loopback_port();

bool is_loopback_port_free(int port);

}  // namespace decant
