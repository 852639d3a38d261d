#include "pg/conninfo.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <memory>

namespace decant::pg {
namespace {

std::string without_driver(const std::string& text) {
    const std::size_t scheme_end = text.find("://");
    const std::size_t plus = text.find('+');
    if (scheme_end == std::string::npos || plus >= scheme_end) return text;
    return text.substr(0, plus) + text.substr(scheme_end);
}

std::string quoted(const std::string& value) {
    std::string out = "'";
    for (const char c : value) {
        if (c == '\'' || c == '\\') out += '\\';
        out += c;
    }
    return out + "'";
}

std::string value_or(const Keywords& keywords, const std::string& key, const std::string& otherwise) {
    const auto found = keywords.find(key);
    return found == keywords.end() ? otherwise : found->second;
}

}  // namespace

std::optional<Keywords> parse_conninfo(const std::string& text) {
    char* message = nullptr;
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options{
        PQconninfoParse(without_driver(text).c_str(), &message), &PQconninfoFree};
    const std::unique_ptr<char, decltype(&PQfreemem)> owned_message{message, &PQfreemem};
    if (!options) return std::nullopt;
    Keywords keywords;
    for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
        if (option->val != nullptr) keywords.emplace(option->keyword, option->val);
    }
    return keywords;
}

std::string conninfo_of(const Keywords& keywords) {
    std::string text;
    for (const auto& [key, value] : keywords)
        text += fmt::format("{}{}={}", text.empty() ? "" : " ", key, quoted(value));
    return text;
}

std::string shown_address(const Keywords& keywords) {
    const std::string user = value_or(keywords, "user", "");
    const std::string host = value_or(keywords, "host", value_or(keywords, "hostaddr", ""));
    const std::string port = value_or(keywords, "port", "");
    return fmt::format("postgresql://{}{}{}{}/{}", user.empty() ? "" : user + "@", host, port.empty() ? "" : ":", port,
                       value_or(keywords, "dbname", ""));
}

}  // namespace decant::pg
