#pragma once

#include <filesystem>
#include <string>

namespace decant::test {

/// A new folder that its owner removes: in memory (/dev/shm) when that has 1 GiB free, for there fsync costs nothing,
/// else under the temporary directory. Its name starts with decant-`purpose`-.
std::filesystem::path make_scratch_folder(const std::string& purpose);

}  // namespace decant::test
