#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/dotenv.hpp"
#include "core/error.hpp"

namespace decant {
namespace {

std::string any_text() {
    std::string text = *rc::gen::arbitrary<std::string>();
    std::erase(text, '\0');
    return text;
}

std::string any_key() {
    return *rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::elementOf(std::string{"ABCxyz_"})));
}

std::string double_quoted(const std::string& value) {
    std::string text = "\"";
    for (const char c : value) {
        if (c == '"' || c == '\\' || c == '$') text += '\\';
        text += c;
    }
    return text + "\"";
}

RC_GTEST_PROP(DotenvProperty, GivesBackEveryValueThatIsDoubleQuoted, ()) {
    const std::string key = any_key();
    const std::string value = any_text();
    const std::vector<DotenvEntry> entries = parse_dotenv(key + "=" + double_quoted(value) + " # c\nZ=1", ".env");
    RC_ASSERT(entries.size() == 2U);
    RC_ASSERT(entries[0].key == key);
    RC_ASSERT(entries[0].value == value);
    RC_ASSERT(entries[1].line == 2U + static_cast<std::size_t>(std::ranges::count(value, '\n')));
}

RC_GTEST_PROP(DotenvProperty, GivesBackEveryValueThatIsSingleQuoted, ()) {
    std::string value = any_text();
    std::erase(value, '\'');
    const std::vector<DotenvEntry> entries = parse_dotenv("A='" + value + "'", ".env");
    RC_ASSERT(entries.size() == 1U);
    RC_ASSERT(entries[0].value == value);
}

RC_GTEST_PROP(DotenvProperty, EitherReadsOrNamesALineThatExists, ()) {
    const std::string text =
        *rc::gen::container<std::string>(rc::gen::elementOf(std::string{"A=\"'#$ \\{}\n\r\t\xFF"}));
    try {
        parse_dotenv(text, "f");
    } catch (const Error& error) {
        RC_ASSERT(error.code() == ErrorCode::config_invalid);
        const std::size_t line = std::stoul(error.happened().substr(std::string{"f, line "}.size()));
        RC_ASSERT(line >= 1U);
        RC_ASSERT(line <= static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1U);
    }
}

RC_GTEST_PROP(DotenvProperty, NeverShowsWhatTheFileHolds, ()) {
    const std::string secret = "hunter2";
    const std::string before = *rc::gen::container<std::string>(rc::gen::elementOf(std::string{"A=\"'# \n"}));
    try {
        parse_dotenv(before + secret + "${x}", ".env");
    } catch (const Error& error) {
        RC_ASSERT((error.happened() + error.remedy()).find(secret) == std::string::npos);
    }
}

}  // namespace
}  // namespace decant
