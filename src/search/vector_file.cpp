#include "search/vector_file.hpp"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>

#include "core/error.hpp"
#include "search/detail/filter_json.hpp"

namespace decant::search {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr const char* wanted = "Give a JSON array of numbers, or as .f32 or .bin little-endian float32 values.";

std::vector<float> from_json(std::string_view text, const std::string& name) {
    const detail::FilterJson json = detail::parse_filter_json(text, name);
    const auto* list = json.as<detail::FilterJson::List>();
    if (list == nullptr)
        throw Error{ErrorCode::request_invalid, fmt::format("{} holds no array: {}", name, shown(json)), wanted};
    std::vector<float> values;
    for (const detail::FilterJson& element : *list) {
        if (const auto* real = element.as<double>())
            values.push_back(static_cast<float>(*real));
        else if (const auto* whole = element.as<std::int64_t>())
            values.push_back(static_cast<float>(*whole));
        else
            throw Error{ErrorCode::request_invalid,
                        fmt::format("{}: value {} is no number: {}", name, values.size() + 1, shown(element)), wanted};
    }
    return values;
}

std::vector<float> from_float32(std::string_view bytes, const std::string& name) {
    if (bytes.size() % sizeof(float) != 0) {
        throw Error{ErrorCode::request_invalid,
                    fmt::format("{} has {} bytes, which is no number of float32 values", name, bytes.size()), wanted};
    }
    std::vector<float> values(bytes.size() / sizeof(float));
    if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
}

}  // namespace

VectorFormat format_of(std::string_view file_name) {
    return file_name.ends_with(".f32") || file_name.ends_with(".bin") ? VectorFormat::float32 : VectorFormat::json;
}

std::vector<float> parse_vector(std::string_view bytes, VectorFormat format, const std::string& name) {
    std::vector<float> values = format == VectorFormat::json ? from_json(bytes, name) : from_float32(bytes, name);
    if (values.empty() || values.size() > most_dimensions) {
        throw Error{ErrorCode::request_invalid, fmt::format("{} holds {} values", name, values.size()),
                    fmt::format("Give one vector of 1 to {}.", most_dimensions)};
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (!std::isfinite(values[i]))
            throw Error{ErrorCode::request_invalid, fmt::format("{}: value {} is no finite float32", name, i + 1),
                        wanted};
    }
    return values;
}

std::vector<float> read_vector_file(const std::string& path) {
    std::ifstream file{path, std::ios::binary};
    std::string bytes(detail::most_filter_bytes + 1, '\0');
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    bytes.resize(static_cast<std::size_t>(file.gcount()));
    if (file.bad() || (bytes.empty() && !file.eof()))
        throw Error{ErrorCode::not_found, fmt::format("File {} cannot be read", path), "Check the path."};
    return parse_vector(bytes, format_of(path), path);
}

}  // namespace decant::search
