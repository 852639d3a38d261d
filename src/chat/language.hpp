#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/enum_names.hpp"

namespace decant::chat {

enum class Language { spanish, english };
inline constexpr EnumNames<Language, 2> language_names{{"es", "en"}};

/// By its small words, accents and marks; none where they do not decide ("notebook gamer").
std::optional<Language> language_of(std::string_view message);

/// One text in both languages.
struct Wording {
    std::string_view spanish;
    std::string_view english;
    constexpr std::string_view operator[](Language language) const noexcept {
        return language == Language::spanish ? spanish : english;
    }
};

}  // namespace decant::chat
