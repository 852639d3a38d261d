#pragma once

#include <map>
#include <optional>
#include <string>

namespace decant::pg {

/// libpq's keywords with their values; only those that are set.
using Keywords = std::map<std::string, std::string>;

/// Reads a URI or key=value pairs; SQLAlchemy's postgresql+driver:// is read as postgresql://. None when it is neither:
/// libpq's own message is not given on, for it may quote a part of the password.
std::optional<Keywords> parse_conninfo(const std::string& text);

/// key=value pairs, quoted where needed.
std::string conninfo_of(const Keywords& keywords);

/// The same, but that a server that does not answer is waited for two seconds (each host): for threads that the end of
/// the process waits for.
std::string impatient(const std::string& conninfo);

/// postgresql://user@host:port/database, or key=value pairs where the host is a socket's folder: libpq reads it. Never
/// with a password.
std::string shown_address(const Keywords& keywords);

}  // namespace decant::pg
