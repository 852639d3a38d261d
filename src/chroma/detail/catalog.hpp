#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "chroma/collection.hpp"
#include "chroma/detail/sqlite.hpp"
#include "chroma/directory.hpp"

namespace decant::chroma::detail {

/// What differs between the versions that wrote a chroma.sqlite3, found by looking, not by version.
struct SchemaTraits {
    bool has_databases;    ///< since 0.4.15
    bool has_bool_values;  ///< embedding_metadata.bool_value, since 0.4.4
    bool has_segment_metadata;
    bool has_configuration;  ///< collections.config_json_str, since 0.5.4
    bool has_schema;         ///< collections.schema_str, since 1.3.0
    bool has_arrays;         ///< embedding_metadata_array, since 1.5.0
};

SchemaTraits traits_of(const Database& db);

/// A collection and the two segments that hold it; an empty segment id where the row is missing.
struct CatalogEntry {
    Collection collection;
    std::string vector_segment;
    std::string metadata_segment;
};

struct Catalog {
    SchemaTraits traits;
    std::vector<CatalogEntry> entries;  ///< by tenant, database, name; orphans last
    std::vector<std::string> segments;  ///< all ids, sorted
    std::vector<Finding> findings;
};

/// Throws Error{source_unreadable} when this is no Chroma database or its catalogue cannot be read.
Catalog read_catalog(const Database& db);

}  // namespace decant::chroma::detail
