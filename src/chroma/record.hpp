#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

namespace decant::chroma {

using Scalar = std::variant<bool, std::int64_t, double, std::string_view>;

/// One metadata value: a scalar, or (Chroma 1.5) a list of scalars of one type.
using MetadataValue = std::variant<Scalar, std::span<const Scalar>>;

struct MetadataEntry {
    std::string_view key;
    MetadataValue value;
};

/// One record as Chroma's own get() returns it, except that texts are the stored bytes: they may hold NUL or invalid
/// UTF-8. All views live until the next call on the reader that returned them.
struct Record {
    std::string_view id;
    std::optional<std::string_view> document;
    std::optional<std::span<const MetadataEntry>> metadata;  ///< none: Chroma's metadata is null; no order promised
    std::span<const float> vector;  ///< may be of another length than the collection's, or hold NaN: the caller judges
    std::optional<std::string_view> uri = {};  ///< of multimodal collections; Chroma gives it beside the metadata
};

}  // namespace decant::chroma
