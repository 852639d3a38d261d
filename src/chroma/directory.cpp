#include "chroma/directory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "chroma/detail/catalog.hpp"
#include "chroma/detail/in_use.hpp"
#include "chroma/detail/locate.hpp"
#include "chroma/detail/persisted_reader.hpp"
#include "chroma/detail/private_copy.hpp"
#include "chroma/detail/queue_changes.hpp"
#include "chroma/detail/sqlite.hpp"
#include "core/error.hpp"

namespace decant::chroma {
namespace {

const detail::CatalogEntry& find_entry(const detail::Catalog& catalog, const Collection& collection,
                                       const std::filesystem::path& path) {
    for (const detail::CatalogEntry& entry : catalog.entries) {
        if (entry.collection.id == collection.id) {
            return entry;
        }
    }
    throw Error{ErrorCode::not_found, fmt::format("There is no collection {} in {}.", collection.id, path.string()),
                "list the collections with `decant inspect`"};
}

}  // namespace

struct Directory::State {
    std::filesystem::path path;
    std::filesystem::path read_path;
    detail::Catalog catalog;
    std::vector<Collection> collections;
    std::unique_ptr<detail::PrivateCopy> copy;
    std::optional<Snapshot> snapshot;

    const detail::CatalogEntry& entry_of(const Collection& collection) const {
        return find_entry(catalog, collection, path);
    }
};

namespace {

/// Of an orphan only the index tells the dimension.
void complete_orphans(detail::Catalog& catalog, const std::filesystem::path& directory) {
    for (detail::CatalogEntry& entry : catalog.entries) {
        if (entry.collection.name.empty()) {
            entry.collection.dimension = detail::persisted_dimension(directory, entry.vector_segment);
        }
    }
}

}  // namespace

Directory::Directory(std::unique_ptr<State> state) : state_(std::move(state)) {}
Directory::Directory(Directory&&) noexcept = default;
Directory& Directory::operator=(Directory&&) noexcept = default;
Directory::~Directory() = default;

Directory Directory::open(const std::filesystem::path& path) {
    auto state = std::make_unique<State>();
    state->path = detail::locate_directory(path);
    state->read_path = state->path;
    if (auto reason = detail::why_in_use(state->path)) {
        state->copy = std::make_unique<detail::PrivateCopy>(state->path);
        state->read_path = state->copy->folder();
        state->snapshot = Snapshot{std::move(*reason), state->copy->newest_seq_id()};
    }
    const detail::Database db{state->read_path / "chroma.sqlite3"};
    const detail::ReadTransaction transaction{db};
    state->catalog = detail::read_catalog(db);
    std::ranges::move(detail::inspect_surroundings(db, state->path, state->catalog),
                      std::back_inserter(state->catalog.findings));
    complete_orphans(state->catalog, state->read_path);
    for (const detail::CatalogEntry& entry : state->catalog.entries) {
        state->collections.push_back(entry.collection);
    }
    return Directory{std::move(state)};
}

const std::filesystem::path& Directory::path() const noexcept {
    return state_->path;
}

std::string Directory::name() const {
    return state_->path.string();
}

std::string Directory::location() const {
    return std::filesystem::absolute(state_->path).string();
}

const std::optional<Snapshot>& Directory::snapshot() const noexcept {
    return state_->snapshot;
}

const std::vector<Collection>& Directory::collections() const noexcept {
    return state_->collections;
}

const std::vector<Finding>& Directory::findings() const noexcept {
    return state_->catalog.findings;
}

CollectionSurvey Directory::survey(const Collection& collection) const {
    return detail::PersistedReader{state_->read_path, state_->entry_of(collection), state_->catalog.traits}.survey();
}

std::unique_ptr<RecordReader> Directory::read(const Collection& collection) const {
    return std::make_unique<detail::PersistedReader>(state_->read_path, state_->entry_of(collection),
                                                     state_->catalog.traits);
}

std::unique_ptr<RecordReader> Directory::read_some(const Collection& collection, std::vector<std::string> ids) const {
    auto reader = std::make_unique<detail::PersistedReader>(state_->read_path, state_->entry_of(collection),
                                                            state_->catalog.traits);
    reader->keep_only(std::move(ids));
    return reader;
}

QueueChanges Directory::changes_since(const Collection& collection, const QueuePosition& since) const {
    const detail::Database db{state_->read_path / "chroma.sqlite3"};
    const detail::ReadTransaction transaction{db};
    const detail::CatalogEntry& entry = state_->entry_of(collection);
    PickleLook none;
    return detail::read_queue_changes(db, entry, since, detail::find_applied(db, state_->read_path, entry, none));
}

QueueChanges Directory::look_for_changes(const std::filesystem::path& path, const Collection& collection,
                                         const QueuePosition& since, PickleLook& earlier) {
    const std::filesystem::path folder = detail::locate_directory(path);
    const detail::Database db{folder / "chroma.sqlite3"};
    const detail::ReadTransaction transaction{db};
    const detail::Catalog catalog = detail::read_catalog(db);
    const detail::CatalogEntry& entry = find_entry(catalog, collection, folder);
    return detail::read_queue_changes(db, entry, since, detail::find_applied(db, folder, entry, earlier));
}

}  // namespace decant::chroma
