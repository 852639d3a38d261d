#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace decant::pg {

/// Element type of a vector column.
enum class VectorType { vector, halfvec };

std::string_view name_of(VectorType type) noexcept;

/// Appends one tuple of COPY's binary format to a string: a field count, then fields in column order.
class BinaryRow {
public:
    BinaryRow(std::string& out, std::int16_t fields);

    void null();
    void text(std::string_view bytes);
    /// `json` must be jsonb's own output form for the tuple to compare equal when it is read back.
    void jsonb(std::string_view json);
    void vector(std::span<const float> values);
    /// Rounds to nearest even, as pgvector does; false (and nothing usable written) when a value overflows binary16.
    bool halfvec(std::span<const float> values);

private:
    std::string& out_;
};

/// A vector in the binary form that a parameter takes.
std::string binary_vector(std::span<const float> values);

/// A one-dimensional array of vectors in the binary form that a parameter takes. Source: PostgreSQL, array_recv().
class VectorArray {
public:
    /// `element_type` is the oid of the type vector in the connected database, `count` the elements that follow.
    VectorArray(std::uint32_t element_type, std::size_t count);

    void add(std::span<const float> values);
    std::string take() { return std::move(out_); }

private:
    std::string out_;
};

/// Fields of a tuple as COPY sends it: one entry a field, data() null for NULL. Throws Error{internal} on bytes that
/// are no tuple. Source: PostgreSQL manual, COPY, "Binary Format".
std::vector<std::string_view> fields_of(std::string_view tuple);

/// The floats of a vector field (int16 dimension, int16 unused, dimension big-endian float4), appended to `out`.
/// Throws Error{internal} when the field is none.
void decode_vector(std::string_view field, std::vector<float>& out);

/// The same for a halfvec field (big-endian binary16).
void decode_halfvec(std::string_view field, std::vector<float>& out);

}  // namespace decant::pg
