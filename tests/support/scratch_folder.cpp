#include "tests/support/scratch_folder.hpp"

#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

namespace decant::test {
namespace {

namespace fs = std::filesystem;

fs::path base() {
    constexpr std::uintmax_t enough = std::uintmax_t{1} << 30U;
    std::error_code failed;
    const fs::path in_memory = "/dev/shm";
    const fs::space_info space = fs::space(in_memory, failed);
    const bool is_usable = !failed && space.available > enough && ::access(in_memory.c_str(), W_OK) == 0;
    return is_usable ? in_memory : fs::canonical(fs::temp_directory_path());
}

}  // namespace

fs::path make_scratch_folder(const std::string& purpose) {
    std::string pattern = (base() / ("decant-" + purpose + "-XXXXXX")).string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make " + pattern);
    return pattern;
}

}  // namespace decant::test
