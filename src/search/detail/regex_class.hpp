#pragma once

#include <unicode/uniset.h>

#include <optional>
#include <string>
#include <string_view>

namespace decant::search::detail {

/// Sets of characters as expressions name them.
using CharacterSet = icu::UnicodeSet;

const CharacterSet& word_characters();
const CharacterSet& digit_characters();
const CharacterSet& space_characters();

/// [:alpha:] and the like, ASCII only. None for a name that there is not.
std::optional<CharacterSet> posix_class(std::string_view name);
/// \p{...} by general category, script or property.
std::optional<CharacterSet> property_class(std::string_view name);

/// All characters that differ from one of `set` in case only are added.
void fold_case(CharacterSet& set);

/// One character as PostgreSQL's expressions write it; none for NUL and the surrogates, which no text has.
std::optional<std::string> character(UChar32 code_point);

/// A bracket expression of PostgreSQL for the characters of `set`, without those that no text has; none when nothing is
/// left.
std::optional<std::string> bracket(const CharacterSet& set);

}  // namespace decant::search::detail
