#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "chroma/directory.hpp"
#include "core/error.hpp"

namespace decant::chroma {
namespace {

std::size_t edit_distance(std::string_view left, std::string_view right) {
    std::vector<std::size_t> row(right.size() + 1);
    for (std::size_t j = 0; j <= right.size(); ++j) {
        row[j] = j;
    }
    for (std::size_t i = 1; i <= left.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i);
        for (std::size_t j = 1; j <= right.size(); ++j) {
            const std::size_t changed = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
            diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, changed}));
        }
    }
    return row.back();
}

bool fits(const Collection& collection, const CollectionName& wanted) {
    return (collection.id == wanted.name || (!collection.name.empty() && collection.name == wanted.name)) &&
           (!wanted.tenant || collection.tenant == *wanted.tenant) &&
           (!wanted.database || collection.database == *wanted.database);
}

[[noreturn]] void throw_not_found(const Directory& directory, const CollectionName& wanted) {
    const auto& all = directory.collections();
    const auto nearest = std::min_element(all.begin(), all.end(), [&](const Collection& left, const Collection& right) {
        return edit_distance(left.name, wanted.name) < edit_distance(right.name, wanted.name);
    });
    const std::string hint =
        nearest == all.end() ? "the directory has no collection" : fmt::format("did you mean '{}'?", nearest->name);
    throw Error{ErrorCode::not_found,
                fmt::format("There is no collection '{}' in {}.", wanted.name, directory.path().string()),
                fmt::format("{} List them with `decant inspect {}`", hint, directory.path().string())};
}

}  // namespace

const Collection& find_collection(const Directory& directory, const CollectionName& wanted) {
    std::vector<const Collection*> found;
    for (const Collection& collection : directory.collections()) {
        if (fits(collection, wanted)) {
            found.push_back(&collection);
        }
    }
    if (found.empty()) {
        throw_not_found(directory, wanted);
    }
    if (found.size() > 1) {
        std::string places;
        for (const Collection* collection : found) {
            places += fmt::format("{}{}/{}", places.empty() ? "" : ", ", collection->tenant, collection->database);
        }
        throw Error{ErrorCode::conflict,
                    fmt::format("Collection '{}' stands in {} databases (tenant/database): {}.", wanted.name,
                                found.size(), places),
                    "name one with --tenant and --database"};
    }
    return *found.front();
}

}  // namespace decant::chroma
