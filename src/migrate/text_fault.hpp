#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/enum_names.hpp"

namespace decant::migrate {

/// What to do with text that PostgreSQL cannot hold: U+0000 and bytes that are no valid UTF-8 (surrogates included).
enum class NulPolicy {
    reject,  ///< the record goes to the reject file
    strip,   ///< the bytes are left out
    escape,  ///< U+0000 becomes the six characters \u0000, an invalid byte the four characters \xHH
};

inline constexpr EnumNames<NulPolicy, 3> nul_policy_names{{"reject", "strip", "escape"}};
constexpr std::string_view name_of(NulPolicy policy) noexcept {
    return nul_policy_names[policy];
}

/// What keeps PostgreSQL from holding the text, with the byte offset ("U+0000 at byte 5"); none when nothing does.
/// Validity as in PostgreSQL's pg_utf8_islegal.
std::optional<std::string> find_text_fault(std::string_view text);

/// The text with strip or escape applied.
std::string repaired_text(std::string_view text, NulPolicy policy);

}  // namespace decant::migrate
