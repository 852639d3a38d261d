#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace decant::search {

/// Most dimensions that a column of pgvector takes.
inline constexpr std::size_t most_dimensions = 16'000;

enum class VectorFormat { json, float32 };  ///< an array of numbers; little-endian float32, one after the other

/// By the name: .f32 and .bin are float32, everything else is JSON.
VectorFormat format_of(std::string_view file_name);

/// One vector. `name` is for messages. Throws Error{request_invalid} for anything that is none: no finite numbers, none
/// at all, more than most_dimensions.
std::vector<float> parse_vector(std::string_view bytes, VectorFormat format, const std::string& name);

/// The same of a file. Throws Error{not_found} when it cannot be read.
std::vector<float> read_vector_file(const std::string& path);

}  // namespace decant::search
