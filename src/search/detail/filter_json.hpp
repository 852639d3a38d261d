#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace decant::search::detail {

/// JSON that a person gave, with every number as it was written: whole numbers stay whole, others are the nearest
/// double. Boost.JSON's own values round some doubles wrongly in the last place.
struct FilterJson {
    struct Member;
    using List = std::vector<FilterJson>;
    using Object = std::vector<Member>;  ///< in the text's order; a name may stand twice
    /// uint64 only for what int64 does not hold.
    std::variant<std::nullptr_t, bool, std::int64_t, std::uint64_t, double, std::string, List, Object> value;

    template <typename T>
    const T* as() const noexcept {
        return std::get_if<T>(&value);
    }
};

struct FilterJson::Member {
    std::string name;
    FilterJson value;
};

inline constexpr std::size_t most_filter_bytes = 1U << 20U;
inline constexpr std::size_t deepest_filter = 32;

/// Throws Error{request_invalid} for what is no JSON, over most_filter_bytes, or nested deeper than deepest_filter;
/// `what` begins the message ("--where").
FilterJson parse_filter_json(std::string_view text, std::string_view what);

/// For messages: short, on one line.
std::string shown(const FilterJson& json);

}  // namespace decant::search::detail
