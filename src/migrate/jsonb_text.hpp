#pragma once

#include <span>
#include <string>

#include "chroma/record.hpp"

/// migrate/: joins the source to PostgreSQL: row images, copy with checkpoints, verification, recall, rollback,
/// reports.
namespace decant::migrate {

/// The metadata exactly as PostgreSQL prints a jsonb (jsonb.c, jsonb_util.c): keys by length, then bytewise; ", " and
/// ": " between; control characters escaped. Floats are written without exponent and whole ones keep ".0", so that
/// numeric's scale keeps the type. Precondition: texts are valid UTF-8 without U+0000, floats finite, keys unique.
std::string jsonb_text(std::span<const chroma::MetadataEntry> metadata);

}  // namespace decant::migrate
