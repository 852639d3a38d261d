#pragma once

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>

namespace decant::fuzz {

/// A folder of this process for files that are written anew for each input.
class Scratch {
public:
    Scratch() {
        // In memory where that is possible: a file system syncs a file that is cut and written again.
        const std::filesystem::path memory = "/dev/shm";
        const bool has_memory = ::access(memory.c_str(), W_OK) == 0;
        std::string pattern =
            ((has_memory ? memory : std::filesystem::temp_directory_path()) / "decant-fuzz-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) std::abort();
        folder_ = pattern;
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch() {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }

    const std::filesystem::path& folder() const noexcept { return folder_; }

    void write(std::string_view name, std::span<const std::uint8_t> bytes) const {
        std::ofstream file{folder_ / name, std::ios::binary | std::ios::trunc};
        file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    }

private:
    std::filesystem::path folder_;
};

}  // namespace decant::fuzz
