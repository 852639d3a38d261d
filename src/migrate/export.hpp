#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "chroma/server_writer.hpp"
#include "migrate/copy.hpp"

namespace decant::migrate {

struct ExportRequest {
    std::string conninfo;
    std::optional<TableName> table;  ///< none: the catalog's active products that have an embedding
    std::string collection;          ///< the server's; of a table that several share, also which of them. May be empty
    std::optional<chroma::Space> space;  ///< of a collection that is made; none: that of the table's index or its copy
};

struct ExportReport {
    std::string from;  ///< "public.items", "the catalog"
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;  ///< of the file, or of what was compared with the server
    double seconds = 0;

    // Of a server:
    chroma::Collection collection;
    bool is_new = false;  ///< the collection was made
    chroma::WriteOutcome written;
    std::uint64_t others = 0;  ///< records of the collection that the table does not have; they stay
    chroma::ReadBack read_back;

    bool is_whole() const noexcept { return written.refused.empty() && read_back.differing.empty(); }
};

/// Writes the rows in order of their ids, one record {id, document, metadata, embedding} a line. Numbers keep their
/// type and floats are the shortest digits that read back as the same float. One state of the table, in bounded memory.
/// `path` is taken as FileWriter takes it. Tables of `decant copy` and of its layouts can be exported.
/// Throws Error{not_found}, Error{conflict} for a table of another shape, Error{cancelled}.
ExportReport export_to_file(const ExportRequest& request, const std::filesystem::path& path, CopyObserver& observer);

/// Puts the rows into a collection, which is made where it is missing, and reads every one back; a record that differs
/// then, or that Chroma does not take, is a value of the report. Doing it again writes only what differs.
/// Throws also what ServerWriter throws, and Error{dimension_mismatch}, Error{conflict} for a collection of another
/// space.
ExportReport export_to_server(const ExportRequest& request, const chroma::SourceAddress& server,
                              CopyObserver& observer);

}  // namespace decant::migrate
