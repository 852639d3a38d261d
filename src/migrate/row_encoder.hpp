#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "chroma/collection.hpp"
#include "chroma/record.hpp"
#include "chroma/record_reader.hpp"
#include "migrate/text_fault.hpp"
#include "pg/binary_row.hpp"

namespace decant::migrate {

/// Why a record cannot stand in the table, and the whole record as one line of JSON (texts as base64 where JSON cannot
/// hold them, the vector as base64 of little-endian float32): nothing is lost by a rejection.
struct Reject {
    std::string id;
    std::string reason;
    std::string line;
};

/// How records become rows (id text, document text, metadata jsonb, embedding vector(d)).
struct RowShape {
    std::uint32_t dimension = 0;
    chroma::Space space = chroma::Space::l2;
    pg::VectorType type = pg::VectorType::vector;
    NulPolicy nul = NulPolicy::reject;
};

/// Appends the record's row image: the tuple of COPY's binary format which PostgreSQL also sends back for that row,
/// byte for byte. Nothing is appended when the record is rejected.
std::optional<Reject> encode_row(const RowShape& shape, const chroma::Record& record, std::string& out);

/// The reject line of a record for any reason.
Reject make_reject(const chroma::Record& record, std::string reason);

/// The line for a record that a damaged directory cannot give whole: id and reason.
std::string lost_line(const chroma::LostRecord& lost);

/// Why the record's vector cannot be stored, or none.
std::optional<std::string> find_vector_fault(const RowShape& shape, std::span<const float> vector);

}  // namespace decant::migrate
