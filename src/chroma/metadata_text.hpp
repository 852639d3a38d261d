#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "chroma/record.hpp"

namespace decant::chroma {

/// The value under `key`; null when the record has none.
const MetadataValue* find_metadata(const Record& record, std::string_view key);

/// Text of a metadata value: a string as it is, an integer in digits, a float as PostgreSQL writes it, a boolean as
/// true or false. None for a list.
std::optional<std::string> text_of(const MetadataValue& value);

/// The text under `key`; empty where there is none.
std::string metadata_text(const Record& record, std::string_view key);

}  // namespace decant::chroma
