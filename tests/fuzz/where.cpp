#include "search/where.hpp"

#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "core/error.hpp"
#include "search/vector_file.hpp"
#include "search/where_sql.hpp"

namespace {

/// Whatever the bytes: a condition whose parameters are those that it numbers, or Error{request_invalid}.
template <typename Parse>
void parse(std::string_view text, Parse parse_filter) {
    try {
        const std::vector<decant::search::Where> filters{parse_filter(text)};
        const decant::search::Condition condition = decant::search::condition_of(filters);
        const std::string last = "$" + std::to_string(condition.params.size());
        if (condition.sql.empty()) std::abort();
        if (!condition.params.empty() && condition.sql.find(last) == std::string::npos) std::abort();
        if (condition.sql.find("$" + std::to_string(condition.params.size() + 1) + ":") != std::string::npos)
            std::abort();
    } catch (const decant::Error& error) {
        if (error.code() != decant::ErrorCode::request_invalid) std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    parse(text, decant::search::parse_where);
    parse(text, decant::search::parse_where_document);
    using decant::search::VectorFormat;
    for (const VectorFormat format : {VectorFormat::json, VectorFormat::float32}) {
        try {
            for (const float value : decant::search::parse_vector(text, format, "fuzz"))
                if (!std::isfinite(value)) std::abort();
        } catch (const decant::Error& error) {
            if (error.code() != decant::ErrorCode::request_invalid) std::abort();
        }
    }
    return 0;
}
