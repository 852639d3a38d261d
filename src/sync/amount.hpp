#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/enum_names.hpp"

/// sync/: products from elsewhere into the catalog, again and again: the ERP DUX, files, other databases. What a source
/// says is read item by item, exactly or not at all; pages, cursor and counts are one transaction each.
namespace decant::sync {

/// Which mark stands before the decimals.
enum class DecimalMark { automatic, point, comma };
inline constexpr EnumNames<DecimalMark, 3> decimal_mark_names{{"auto", "point", "comma"}};

struct AmountReading {
    std::optional<std::string> value;  ///< "-1234.5": no zeros in front but one, none at the end
    std::string fault;                 ///< why there is none
};

/// "1.234,56", "1234.56", "1,5", "$ 21.00": exact, or a fault. Where `mark` is automatic and one mark stands before
/// exactly three digits, as in "1.234", it may be either and is a fault. At most 15 digits, which a double keeps.
AmountReading read_amount(std::string_view text, DecimalMark mark);

/// Exact sums of what read_amount() gives.
class AmountSum {
public:
    void add(std::string_view value);

    bool is_negative() const noexcept { return sum_ < 0; }
    bool has_fraction() const noexcept { return sum_ % unit != 0; }
    /// Without the fraction; none where it is negative or over what a column of type integer holds.
    std::optional<int> whole() const noexcept;

private:
    __extension__ using Wide = __int128;
    static constexpr Wide unit = 1'000'000'000'000'000;  // 15 decimals
    Wide sum_ = 0;
};

}  // namespace decant::sync
