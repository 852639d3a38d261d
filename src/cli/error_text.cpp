#include "cli/error_text.hpp"

#include <cstdio>

#include <fmt/format.h>

#include "core/json.hpp"
#include "core/utf8.hpp"

namespace decant::cli {
namespace {

/// Lines after the first stand under the first one's text.
std::string indented(std::string_view text) {
    std::string out;
    while (true) {
        const std::size_t end = text.find('\n');
        out += printable(text.substr(0, end));
        if (end == std::string_view::npos) return out;
        out += "\n      ";
        text.remove_prefix(end + 1);
    }
}

}  // namespace

std::string error_text(const Error& error, bool json) {
    const std::string_view code = traits_of(error.code()).name;
    if (json) {
        return json_text({{"error", {{"code", code}, {"happened", error.happened()}, {"remedy", error.remedy()}}}}) +
               "\n";
    }
    return fmt::format("decant: {}: {}\n  do: {}\n", code, indented(error.happened()), indented(error.remedy()));
}

int print_error(const Error& error, bool json) {
    std::fflush(stdout);
    const std::string text = error_text(error, json);
    std::fwrite(text.data(), 1, text.size(), stderr);
    return error.exit_code();
}

}  // namespace decant::cli
