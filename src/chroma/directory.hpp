#pragma once

#include <filesystem>
#include <memory>

#include "chroma/queue_changes.hpp"
#include "chroma/source.hpp"

namespace decant::chroma {

/// A persisted Chroma directory, opened read-only. A directory that another process uses (or that was left with a hot
/// journal) is read from a consistent private copy, deleted with this object. Movable.
class Directory final : public Source {
public:
    /// `path` is the directory or one at most three levels above the chroma.sqlite3. Throws Error{not_found} when there
    /// is none, Error{source_unreadable} for a 0.3 (Parquet) directory, a file that is no Chroma database, or damage
    /// that leaves nothing to read.
    static Directory open(const std::filesystem::path& path);
    Directory(Directory&&) noexcept;
    Directory& operator=(Directory&&) noexcept;
    ~Directory() override;

    const std::filesystem::path& path() const noexcept;  ///< the folder of chroma.sqlite3 as given, never the copy

    std::string name() const override;
    std::string location() const override;
    const std::optional<Snapshot>& snapshot() const noexcept override;
    const std::vector<Collection>& collections() const noexcept override;
    const std::vector<Finding>& findings() const noexcept override;
    CollectionSurvey survey(const Collection& collection) const override;
    std::unique_ptr<RecordReader> read(const Collection& collection) const override;

    /// As read, but of the collection's records only those with these ids, which are sorted bytewise.
    std::unique_ptr<RecordReader> read_some(const Collection& collection, std::vector<std::string> ids) const;

    /// What its queue tells since that position. A directory that is read in its place may be written meanwhile: a
    /// reader that was opened before notices.
    QueueChanges changes_since(const Collection& collection, const QueuePosition& since) const;

    /// The same without opening the directory, of the files as they are at this moment, for looking often. `earlier` is
    /// that of the last look.
    static QueueChanges look_for_changes(const std::filesystem::path& path, const Collection& collection,
                                         const QueuePosition& since, PickleLook& earlier);

private:
    struct State;
    explicit Directory(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace decant::chroma
