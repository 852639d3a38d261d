#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "catalog/similarity.hpp"

/// chroma/: the source. Reads persisted Chroma directories natively (docs/formats/chroma.md): sqlite, the embeddings
/// queue, HNSW files and the pickle that ties labels to ids. Only this folder includes sqlite3.h. Nothing here writes
/// to a directory (ServerWriter does, to a server), executes a pickle, or believes a size before it was checked against
/// the file.
namespace decant::chroma {

using catalog::name_of;
using catalog::Space;

struct Collection {
    std::string tenant;    ///< "default_tenant" where the directory is older than tenants
    std::string database;  ///< "default_database" likewise
    std::string name;      ///< empty: the collections row is gone, only its segments are left (orphan)
    std::string id;        ///< uuid
    std::optional<std::uint32_t> dimension;  ///< none until the first add
    std::optional<Space> space;              ///< none where nothing recorded is left to tell it (orphan of 1.x)
    std::string embedding_function;          ///< as recorded ("default", a name with its config); empty: none recorded
};

}  // namespace decant::chroma
