#pragma once

#include <span>
#include <string>
#include <string_view>

/// web/: the web page. Its files (page/, plain ES modules) are part of the program; api/ serves them.
namespace decant::web {

struct File {
    std::string_view name;  ///< "search.js"
    std::string_view bytes;
};

/// All of them, in the order of their names, with the chart library.
std::span<const File> page_files() noexcept;

/// Null: there is no such file.
const File* find_file(std::string_view name) noexcept;

/// A digest of all files in hexadecimal digits. It is in their paths, so that a browser may keep them for good.
const std::string& page_version();

/// "text/javascript; charset=utf-8", by the ending of the name.
std::string_view media_type(std::string_view name) noexcept;

/// What of the page's head depends on who asks.
struct Visitor {
    std::string_view accept_language;  ///< the header; empty: none
    bool needs_key = false;            ///< the server lets nobody in without
};

/// "es" or "en": the one that the visitor likes better (RFC 9110, 12.5.4); "en" where it is neither.
std::string_view language_for(std::string_view accept_language);

/// index.html for this visitor.
std::string index_for(const Visitor& visitor);

}  // namespace decant::web
