#include "pg/conninfo.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <cctype>
#include <memory>
#include <utility>

namespace decant::pg {
namespace {

std::string without_driver(const std::string& text) {
    const std::size_t scheme_end = text.find("://");
    const std::size_t plus = text.find('+');
    if (scheme_end == std::string::npos || plus >= scheme_end) return text;
    return text.substr(0, plus) + text.substr(scheme_end);
}

std::string quoted(const std::string& value) {
    constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@%+-";
    if (!value.empty() && value.find_first_not_of(plain) == std::string::npos) return value;
    std::string out = "'";
    for (const char c : value) {
        if (c == '\'' || c == '\\') out += '\\';
        out += c;
    }
    return out + "'";
}

std::string percent_encoded(const std::string& text) {
    std::string out;
    for (const char c : text) {
        const bool is_plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
        out += is_plain ? std::string{c} : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
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

std::string impatient(const std::string& conninfo) {
    std::optional<Keywords> keywords = parse_conninfo(conninfo);
    if (!keywords) return conninfo;  // connecting tells what is wrong with it
    keywords->insert_or_assign("connect_timeout", "2");
    return conninfo_of(*keywords);
}

std::string shown_address(const Keywords& keywords) {
    Keywords open = keywords;
    for (const char* secret : {"password", "passfile", "sslpassword"})
        open.erase(secret);
    const std::string host = value_or(open, "host", value_or(open, "hostaddr", ""));
    // A socket's folder or a list of hosts would make an unreadable URI.
    if (host.empty() || host.find_first_of("/,:@") != std::string::npos) return conninfo_of(open);
    std::string text = fmt::format("postgresql://{}@{}:{}/{}", percent_encoded(value_or(open, "user", "")), host,
                                   value_or(open, "port", "5432"), percent_encoded(value_or(open, "dbname", "")));
    if (!open.contains("user")) text.erase(text.find('@'), 1);
    char separator = '?';
    for (const auto& [key, value] : open) {
        if (key == "user" || key == "host" || key == "hostaddr" || key == "port" || key == "dbname") continue;
        text += fmt::format("{}{}={}", std::exchange(separator, '&'), key, percent_encoded(value));
    }
    return text;
}

}  // namespace decant::pg
