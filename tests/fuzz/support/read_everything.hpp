#pragma once

#include <filesystem>

namespace decant::fuzz {

/// Reads every collection of the directory, and aborts when what the reader promises does not hold: ids ascend, counts
/// agree, and nothing but an Error that a damaged source may give comes out.
void read_everything(const std::filesystem::path& directory);

}  // namespace decant::fuzz
