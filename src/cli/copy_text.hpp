#pragma once

#include <string>

#include "migrate/into.hpp"
#include "migrate/layout.hpp"
#include "migrate/verify_table.hpp"

namespace decant::cli {

struct CopyTextOptions {
    std::string dsn;  ///< without password
    std::string rejects_path;
};

/// What `decant copy` prints at its end: the closing table, the verification, and a query to go on with.
std::string copy_text(const migrate::CopyReport& report, const CopyTextOptions& options);

/// What `decant copy --layout` prints at its end.
std::string layout_text(const migrate::LayoutReport& report, const CopyTextOptions& options);

/// What `decant copy --into` prints at its end.
std::string into_text(const migrate::IntoReport& report, const std::string& rejects_path);

/// What `decant verify` prints for one table.
std::string verify_text(const migrate::VerifyTableReport& report);

}  // namespace decant::cli
