#pragma once

#include <filesystem>

#include "core/settings.hpp"

namespace decant::log {

/// Has every message written to this file too, whose folder is made; for what LOG_FILE does not name. Before other
/// threads are started. Throws Error{config_invalid} when it cannot be opened.
void also_write_to(const std::filesystem::path& path, const Settings& settings);

}  // namespace decant::log
