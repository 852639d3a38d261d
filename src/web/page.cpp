#include "web/page.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>
#include <utility>
#include <vector>

#include "core/sha256.hpp"
#include "core/split_list.hpp"

namespace decant::web {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 4> media_types{
    {{".js", "text/javascript; charset=utf-8"},
     {".css", "text/css; charset=utf-8"},
     {".svg", "image/svg+xml"},
     {".html", "text/html; charset=utf-8"}}};

void replace_all(std::string& text, std::string_view mark, std::string_view value) {
    for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + value.size()))
        text.replace(at, mark.size(), value);
}

/// Of an element of Accept-Language, {"es-AR", "q=0.8"}: its weight, 1 where it has none, 0 where it cannot be read.
double weight_of(const std::vector<std::string_view>& element) {
    if (element.size() < 2) return 1;
    double value = 0;
    if (element[1].starts_with("q="))
        std::from_chars(element[1].data() + 2, element[1].data() + element[1].size(), value);
    return value;
}

/// "es" of "es-AR" and "ES".
std::string primary_tag(std::string_view range) {
    std::string tag{range.substr(0, range.find('-'))};
    for (char& c : tag)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return tag;
}

}  // namespace

const File* find_file(std::string_view name) noexcept {
    const std::span<const File> files = page_files();
    const auto found = std::ranges::find(files, name, &File::name);
    return found == files.end() ? nullptr : &*found;
}

const std::string& page_version() {
    static const std::string version = [] {
        Sha256 digest;
        for (const File& file : page_files()) {
            digest.update(file.name);
            digest.update(file.bytes);
        }
        return hex(digest.finish()).substr(0, 16);
    }();
    return version;
}

std::string_view media_type(std::string_view name) noexcept {
    const auto found = std::ranges::find_if(media_types, [&](const auto& type) { return name.ends_with(type.first); });
    return found == media_types.end() ? "application/octet-stream" : found->second;
}

std::string_view language_for(std::string_view accept_language) {
    double english = 0;
    double spanish = 0;
    for (const std::string_view element : split_list(accept_language)) {
        const std::vector<std::string_view> parts = split_list(element, ";");
        if (parts.empty()) continue;
        const std::string tag = primary_tag(parts.front());
        if (tag == "en") english = std::max(english, weight_of(parts));
        if (tag == "es") spanish = std::max(spanish, weight_of(parts));
    }
    return spanish > english ? "es" : "en";
}

std::string index_for(const Visitor& visitor) {
    const File* index = find_file("index.html");
    if (index == nullptr) throw std::logic_error("index.html is not part of the program");
    std::string page{index->bytes};
    replace_all(page, "{{language}}", language_for(visitor.accept_language));
    replace_all(page, "{{version}}", page_version());
    replace_all(page, "{{access}}", visitor.needs_key ? "key" : "open");
    return page;
}

}  // namespace decant::web
