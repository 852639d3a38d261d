#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <optional>
#include <vector>

#include "trace/sink.hpp"

namespace decant::trace {

/// Runs that wait on the disk, in files that are whole or not there, also after a crash of the process; after a loss of
/// power the newest may be damaged, and are left out. One thread at a time; two
/// processes may share a folder: each sends what it saw at its start, and runs are taken once.
class Spool {
public:
    /// Makes the folder, for this account alone, when something is put. What is in it already is found. No file is put
    /// past `most_bytes`: the oldest go for it.
    Spool(std::filesystem::path folder, std::size_t most_bytes);

    /// The number of runs that went for them. Throws Error{store_full}, Error{permission_denied}.
    std::size_t put(const Runs& runs);

    /// Of the oldest file; none: there is no file. A file that cannot be read is removed and the next one taken.
    std::optional<std::vector<Run>> oldest();
    void remove_oldest();

    bool is_empty() const noexcept { return files_.empty(); }
    std::size_t bytes() const noexcept { return bytes_; }

private:
    struct File {
        std::filesystem::path path;
        std::size_t bytes;
        std::size_t runs;
    };
    void find_files();

    std::filesystem::path folder_;
    std::size_t most_bytes_;
    std::size_t bytes_ = 0;
    std::uint64_t count_ = 0;
    std::deque<File> files_;  ///< the oldest first
};

}  // namespace decant::trace
