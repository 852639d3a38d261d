#pragma once

#include <functional>
#include <memory>

#include "cli/running_server.hpp"
#include "embed/embedder.hpp"

namespace decant::cli {

/// The embedded model as a running server has it loaded, which saves a second; where it stops answering, `open` is
/// called for one of our own.
std::unique_ptr<embed::Embedder> open_served_embedder(const RunningServer& server, const embed::Model& model,
                                                      std::function<std::unique_ptr<embed::Embedder>()> open);

}  // namespace decant::cli
