#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
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

    /// Throws Error{store_full}, Error{permission_denied}.
    void put(const Runs& runs);

    /// Of the file whose turn it is; none: there is no file. One that is damaged or too large is removed and the next
    /// one taken. Throws Error of read_file() for one that cannot be read now.
    std::optional<std::vector<Run>> next();
    /// It is the oldest file's turn again.
    void remove_next();
    /// It is the turn of the file behind it, after the newest that of the oldest.
    void skip_next();
    /// Its `runs` are in two files of half of them each, behind the others. Throws as put().
    void halve_next(const Runs& runs);
    /// That nobody took it. How often that was, not counting failures between which nothing was taken; `taken` is the
    /// number of deliveries so far. The halves of a file start with one.
    int count_failure(std::uint64_t taken);

    std::size_t count() const noexcept { return files_.size(); }
    std::size_t bytes() const noexcept { return bytes_; }
    /// Runs that were removed for want of room or with their file, since this was asked last.
    std::size_t take_dropped() noexcept { return std::exchange(dropped_, 0); }

private:
    struct File {
        std::filesystem::path path;
        std::size_t bytes;
        std::size_t runs;
        int failures = 0;
        std::optional<std::uint64_t> failed_after = {};  ///< so many deliveries
    };
    void find_files();
    void write(const std::string& lines, std::size_t runs);
    void remove(std::size_t at);

    std::filesystem::path folder_;
    std::size_t most_bytes_;
    std::size_t bytes_ = 0;
    std::uint64_t put_ = 0;
    std::size_t dropped_ = 0;
    std::size_t next_ = 0;    ///< of files_
    std::deque<File> files_;  ///< the oldest first
};

}  // namespace decant::trace
