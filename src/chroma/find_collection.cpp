#include <fmt/format.h>

#include <string>
#include <vector>

#include "chroma/source.hpp"
#include "core/error.hpp"
#include "core/nearest.hpp"

namespace decant::chroma {
namespace {

bool fits(const Collection& collection, const CollectionName& wanted) {
    return (collection.id == wanted.name || (!collection.name.empty() && collection.name == wanted.name)) &&
           (!wanted.tenant || collection.tenant == *wanted.tenant) &&
           (!wanted.database || collection.database == *wanted.database);
}

[[noreturn]] void throw_not_found(std::span<const Collection> collections, const CollectionName& wanted,
                                  const std::string& source) {
    std::vector<std::string> names;
    for (const Collection& collection : collections) {
        names.push_back(collection.name);
    }
    const auto meant = nearest(wanted.name, names);
    throw Error{ErrorCode::not_found, fmt::format("There is no collection '{}' in {}.", wanted.name, source),
                fmt::format("{}list them with `decant inspect {}`",
                            meant ? fmt::format("did you mean '{}'? else ", *meant) : "", source)};
}

}  // namespace

const Collection& find_collection(const Source& source, const CollectionName& wanted) {
    return find_collection(source.collections(), wanted, source.name());
}

const Collection& find_collection(std::span<const Collection> collections, const CollectionName& wanted,
                                  const std::string& source) {
    std::vector<const Collection*> found;
    for (const Collection& collection : collections) {
        if (fits(collection, wanted)) {
            found.push_back(&collection);
        }
    }
    if (found.empty()) {
        throw_not_found(collections, wanted, source);
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
