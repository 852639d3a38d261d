#pragma once

#include "chroma/source.hpp"

namespace decant::chroma {

/// A Chroma server as a source. Throws what detail::ServerApi throws.
std::unique_ptr<Source> open_server(const SourceAddress& address);

}  // namespace decant::chroma
