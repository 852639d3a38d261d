#include "chroma/directory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "chroma/detail/catalog.hpp"
#include "chroma/detail/persisted_reader.hpp"
#include "chroma/detail/sqlite.hpp"
#include "core/error.hpp"

namespace decant::chroma {
namespace {

constexpr auto database_file = "chroma.sqlite3";
constexpr int deepest_search = 3;

/// The folder of the one chroma.sqlite3 at `path` or at most three levels below.
std::filesystem::path locate(const std::filesystem::path& path) {
    namespace fs = std::filesystem;
    std::error_code ignored;
    if (fs::is_regular_file(path, ignored) && path.filename() == database_file) {
        return path.parent_path().empty() ? fs::path{"."} : path.parent_path();
    }
    if (fs::is_regular_file(path / database_file, ignored)) {
        return path;
    }
    std::vector<fs::path> found;
    auto entry = fs::recursive_directory_iterator{path, fs::directory_options::skip_permission_denied, ignored};
    for (; !ignored && entry != fs::recursive_directory_iterator{}; entry.increment(ignored)) {
        if (entry.depth() >= deepest_search) {
            entry.disable_recursion_pending();
        }
        if (entry->path().filename() == database_file) {
            found.push_back(entry->path().parent_path());
        }
    }
    if (found.size() > 1) {
        std::sort(found.begin(), found.end());
        throw Error{ErrorCode::conflict,
                    fmt::format("{} holds {} Chroma directories: {}, {}, ...", path.string(), found.size(),
                                found[0].string(), found[1].string()),
                    "give one of them"};
    }
    if (found.empty()) {
        throw Error{
            ErrorCode::not_found,
            fmt::format("There is no {} in {} or up to {} levels below.", database_file, path.string(), deepest_search),
            "give the directory that was passed to chromadb.PersistentClient(path=...)"};
    }
    return found.front();
}

}  // namespace

struct Directory::State {
    std::filesystem::path path;
    std::filesystem::path read_path;
    detail::Catalog catalog;
    std::vector<Collection> collections;
    std::optional<Snapshot> snapshot;

    const detail::CatalogEntry& entry_of(const Collection& collection) const {
        for (const detail::CatalogEntry& entry : catalog.entries) {
            if (entry.collection.id == collection.id) {
                return entry;
            }
        }
        throw Error{ErrorCode::not_found, fmt::format("There is no collection {} in {}.", collection.id, path.string()),
                    "list the collections with `decant inspect`"};
    }
};

Directory::Directory(std::unique_ptr<State> state) : state_(std::move(state)) {}
Directory::Directory(Directory&&) noexcept = default;
Directory& Directory::operator=(Directory&&) noexcept = default;
Directory::~Directory() = default;

Directory Directory::open(const std::filesystem::path& path) {
    auto state = std::make_unique<State>();
    state->path = locate(path);
    state->read_path = state->path;
    const detail::Database db{state->read_path / database_file};
    const detail::ReadTransaction transaction{db};
    state->catalog = detail::read_catalog(db);
    for (const detail::CatalogEntry& entry : state->catalog.entries) {
        state->collections.push_back(entry.collection);
    }
    return Directory{std::move(state)};
}

const std::filesystem::path& Directory::path() const noexcept {
    return state_->path;
}

const std::optional<Directory::Snapshot>& Directory::snapshot() const noexcept {
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

}  // namespace decant::chroma
