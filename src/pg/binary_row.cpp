#include "pg/binary_row.hpp"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>

#include "core/error.hpp"
#include "pg/half.hpp"

namespace decant::pg {
namespace {

static_assert(std::endian::native == std::endian::little, "COPY's binary format is written by swapping bytes");

template <typename Unsigned>
Unsigned swapped(Unsigned value) noexcept {
    if constexpr (sizeof(Unsigned) == 2)
        return __builtin_bswap16(value);
    else
        return __builtin_bswap32(value);
}

void append_int32(std::string& out, std::size_t value) {
    const std::uint32_t big = swapped(static_cast<std::uint32_t>(value));
    out.append(reinterpret_cast<const char*>(&big), sizeof big);
}

void append_int16(std::string& out, std::size_t value) {
    const std::uint16_t big = swapped(static_cast<std::uint16_t>(value));
    out.append(reinterpret_cast<const char*>(&big), sizeof big);
}

void append_elements(std::string& out, std::span<const float> values) {
    append_int16(out, values.size());
    append_int16(out, 0);
    const std::size_t start = out.size();
    out.resize(start + 4 * values.size());
    char* at = out.data() + start;
    for (const float value : values) {
        const std::uint32_t big = swapped(std::bit_cast<std::uint32_t>(value));
        std::memcpy(at, &big, sizeof big);
        at += sizeof big;
    }
}

/// With its length before it.
void append_vector(std::string& out, std::span<const float> values) {
    append_int32(out, 4 + 4 * values.size());
    append_elements(out, values);
}

template <typename Unsigned>
Unsigned read_big(const char* at) noexcept {
    Unsigned value = 0;
    std::memcpy(&value, at, sizeof value);
    return swapped(value);
}

Error malformed(std::string_view what, std::size_t bytes) {
    return {ErrorCode::internal, fmt::format("PostgreSQL sent a {} of {} bytes that is none", what, bytes),
            "Report this with the versions of PostgreSQL and pgvector."};
}

/// The elements' bytes of a vector-like field whose elements take `width` bytes.
std::string_view elements_of(std::string_view field, std::size_t width) {
    if (field.size() < 4 || field.size() != 4 + width * read_big<std::uint16_t>(field.data())) {
        throw malformed("vector", field.size());
    }
    return field.substr(4);
}

}  // namespace

std::string_view name_of(VectorType type) noexcept {
    return type == VectorType::vector ? "vector" : "halfvec";
}

BinaryRow::BinaryRow(std::string& out, std::int16_t fields) : out_(out) {
    append_int16(out_, static_cast<std::size_t>(fields));
}

void BinaryRow::null() {
    append_int32(out_, 0xffffffffU);
}

void BinaryRow::text(std::string_view bytes) {
    append_int32(out_, bytes.size());
    out_.append(bytes);
}

void BinaryRow::jsonb(std::string_view json) {
    append_int32(out_, json.size() + 1);
    out_.push_back('\1');
    out_.append(json);
}

void BinaryRow::vector(std::span<const float> values) {
    append_vector(out_, values);
}

std::string binary_vector(std::span<const float> values) {
    std::string out;
    append_elements(out, values);
    return out;
}

VectorArray::VectorArray(std::uint32_t element_type, std::size_t count) {
    constexpr std::size_t dimensions = 1;
    constexpr std::size_t has_nulls = 0;
    constexpr std::size_t lower_bound = 1;
    for (const std::size_t word : {dimensions, has_nulls, std::size_t{element_type}, count, lower_bound})
        append_int32(out_, word);
}

void VectorArray::add(std::span<const float> values) {
    append_vector(out_, values);
}

bool BinaryRow::halfvec(std::span<const float> values) {
    append_int32(out_, 4 + 2 * values.size());
    append_int16(out_, values.size());
    append_int16(out_, 0);
    for (const float value : values) {
        const std::uint16_t half = half_of(value);
        if (is_infinite_half(half)) return false;
        append_int16(out_, half);
    }
    return true;
}

std::vector<std::string_view> fields_of(std::string_view tuple) {
    if (tuple.size() < 2) throw malformed("row", tuple.size());
    const std::size_t count = read_big<std::uint16_t>(tuple.data());
    std::vector<std::string_view> fields;
    fields.reserve(count);
    std::size_t at = 2;
    for (std::size_t i = 0; i < count; ++i) {
        if (tuple.size() - at < 4) throw malformed("row", tuple.size());
        const auto length = static_cast<std::int32_t>(read_big<std::uint32_t>(tuple.data() + at));
        at += 4;
        if (length < 0) {
            fields.emplace_back();
            continue;
        }
        if (tuple.size() - at < static_cast<std::size_t>(length)) throw malformed("row", tuple.size());
        fields.push_back(tuple.substr(at, static_cast<std::size_t>(length)));
        at += static_cast<std::size_t>(length);
    }
    return fields;
}

void decode_vector(std::string_view field, std::vector<float>& out) {
    const std::string_view elements = elements_of(field, 4);
    for (std::size_t at = 0; at < elements.size(); at += 4) {
        out.push_back(std::bit_cast<float>(read_big<std::uint32_t>(elements.data() + at)));
    }
}

void decode_halfvec(std::string_view field, std::vector<float>& out) {
    const std::string_view elements = elements_of(field, 2);
    for (std::size_t at = 0; at < elements.size(); at += 2) {
        out.push_back(float_of(read_big<std::uint16_t>(elements.data() + at)));
    }
}

}  // namespace decant::pg
