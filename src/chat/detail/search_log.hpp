#pragma once

#include "core/log.hpp"
#include "search/engine.hpp"

namespace decant::chat::detail {

/// The lines by which an operator sees in the log which strategy answers, as the migration guide prints them.
void log_attempt(const search::EngineOptions& options, log::Level level);
void log_outcome(const search::Answer& answer, log::Level level);

}  // namespace decant::chat::detail
