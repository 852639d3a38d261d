#include "chroma/metadata_text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace decant::chroma {
namespace {

struct ScalarText {
    std::string operator()(bool value) const { return value ? "true" : "false"; }
    std::string operator()(std::int64_t value) const { return std::to_string(value); }
    std::string operator()(double value) const { return fmt::format("{}", value); }
    std::string operator()(std::string_view value) const { return std::string{value}; }
};

}  // namespace

const MetadataValue* find_metadata(const Record& record, std::string_view key) {
    if (!record.metadata) return nullptr;
    const auto found = std::ranges::find(*record.metadata, key, &MetadataEntry::key);
    return found == record.metadata->end() ? nullptr : &found->value;
}

std::optional<std::string> text_of(const MetadataValue& value) {
    const auto* scalar = std::get_if<Scalar>(&value);
    if (scalar == nullptr) return std::nullopt;
    return std::visit(ScalarText{}, *scalar);
}

std::string metadata_text(const Record& record, std::string_view key) {
    const MetadataValue* value = find_metadata(record, key);
    return value == nullptr ? std::string{} : text_of(*value).value_or("");
}

}  // namespace decant::chroma
