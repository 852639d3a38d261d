#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <stop_token>

#include "chroma/source.hpp"
#include "chroma/vector_table.hpp"

namespace decant::chroma {

/// The vectors of one collection of a directory, held in memory and read anew when the collection was changed. Any
/// thread. Whether something was written costs a look at the status of one file for each call; what was written to
/// other collections costs reading the directory's lists, not the vectors. While a change is read, the memory of both
/// tables is used.
class DirectoryVectors {
public:
    /// Reads nothing yet. `path` is as Directory::open takes it.
    DirectoryVectors(std::filesystem::path path, CollectionName collection);
    ~DirectoryVectors();

    /// What the directory holds now. While another thread reads a change, the table from before it.
    /// Throws Error: not_found, conflict as find_collection, source_unreadable, busy, source_changed when the directory
    /// is written to faster than it can be read, cancelled once `stop` is asked for.
    std::shared_ptr<const VectorTable> current(const std::stop_token& stop = {});

    std::string name() const { return path_.string(); }

private:
    struct Held;
    std::shared_ptr<const Held> held() const;
    std::shared_ptr<const Held> read(const Held* before, const std::stop_token& stop) const;

    std::filesystem::path path_;
    CollectionName collection_;
    std::mutex reading_;
    mutable std::mutex mutex_;  ///< of held_
    std::shared_ptr<const Held> held_;
};

}  // namespace decant::chroma
