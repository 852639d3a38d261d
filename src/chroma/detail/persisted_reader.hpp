#pragma once

#include <filesystem>
#include <memory>

#include "chroma/detail/catalog.hpp"
#include "chroma/record_reader.hpp"

namespace decant::chroma::detail {

/// A reader of one collection of the directory that holds chroma.sqlite3, on a connection of its own.
std::unique_ptr<RecordReader> open_reader(const std::filesystem::path& directory, const CatalogEntry& entry,
                                          const SchemaTraits& traits);

}  // namespace decant::chroma::detail
