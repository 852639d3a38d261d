// What the compiler does not check: which folder may include which, where a library may be used, and sizes.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/failpoint_names.hpp"

namespace {

namespace fs = std::filesystem;

/// The folders that each folder builds on; what those build on is allowed too.
const std::map<std::string, std::vector<std::string>> builds_on{
    {"core", {}},
    {"pg", {"core"}},
    {"catalog", {"core"}},
    {"net", {"core"}},
    {"chroma", {"catalog", "net"}},
    {"store", {"pg", "catalog"}},
    {"embed", {"catalog", "net"}},
    {"work", {"embed", "store"}},
    {"migrate", {"chroma", "work"}},
    {"search", {"chroma", "embed", "store"}},
    {"chat", {"search", "net"}},
    {"quality", {"search"}},
    {"sync", {"net", "store"}},
    {"trace", {"net", "store"}},
    {"web", {"core"}},
    {"operate", {"migrate", "quality"}},
    {"api", {"chat", "operate", "quality", "sync", "trace", "work", "web"}},
    {"cli", {"operate", "api"}},
    {"main.cpp", {"cli"}},
};

struct Confined {
    std::string header;               ///< as the include starts
    std::vector<std::string> places;  ///< the only folders or files that may include it
};

const std::vector<Confined> confined_headers{
    {"libpq-fe.h", {"pg/"}},
    {"curl/", {"net/"}},
    {"boost/asio", {"net/"}},
    {"boost/beast/", {"net/detail/request_reader.cpp"}},
    {"sqlite3.h", {"chroma/"}},
    {"simdjson.h", {"chroma/detail/server_page.cpp", "sync/dux_item.cpp"}},
    {"CLI/", {"cli/command_line.cpp"}},
    {"spdlog/", {"core/log.cpp"}},
    {"openvino/", {"embed/detail/"}},
    {"sentencepiece", {"embed/detail/"}},
    {"boost/json/src.hpp", {"core/json.cpp"}},
    {"zlib.h", {"api/gzip.cpp"}},
    {"zstd.h", {"trace/detail/compressed.cpp"}},
    {"unicode/", {"search/detail/"}},
    {"prometheus/", {"api/metrics_registry.cpp"}},
};

constexpr std::size_t most_lines = 600;

struct Source {
    std::string path;  ///< relative to src/
    std::vector<std::string> lines;

    std::string folder() const { return path.substr(0, path.find('/')); }
};

std::vector<Source> all_sources() {
    const fs::path root = fs::path{DECANT_SOURCE_DIR} / "src";
    std::vector<Source> sources;
    for (const auto& entry : fs::recursive_directory_iterator{root}) {
        if (!entry.is_regular_file()) continue;
        Source source{.path = entry.path().lexically_relative(root).generic_string(), .lines = {}};
        std::ifstream file{entry.path()};
        for (std::string line; std::getline(file, line);)
            source.lines.push_back(line);
        sources.push_back(std::move(source));
    }
    EXPECT_FALSE(sources.empty());
    return sources;
}

std::vector<std::string> includes_of(const Source& source) {
    static const std::regex include{R"(^\s*#\s*include\s*[<"]([^>"]+)[>"])"};
    std::vector<std::string> headers;
    for (const std::string& line : source.lines) {
        if (std::smatch match; std::regex_search(line, match, include)) headers.push_back(match[1]);
    }
    return headers;
}

bool may_include(const std::string& from, const std::string& to) {
    if (from == to) return true;
    const auto found = builds_on.find(from);
    if (found == builds_on.end()) return false;
    return std::ranges::any_of(found->second, [&](const std::string& below) { return may_include(below, to); });
}

TEST(SourceTree, NamesEveryFolderInTheTableOfLayers) {
    for (const Source& source : all_sources())
        EXPECT_TRUE(builds_on.contains(source.folder())) << source.path;
}

TEST(SourceTree, IncludesOnlyWhatTheLayersAllow) {
    for (const Source& source : all_sources()) {
        for (const std::string& header : includes_of(source)) {
            const std::string folder = header.substr(0, header.find('/'));
            if (!builds_on.contains(folder)) continue;
            EXPECT_TRUE(may_include(source.folder(), folder)) << source.path << " includes " << header;
        }
    }
}

TEST(SourceTree, KeepsTheDetailsOfAFolderInIt) {
    for (const Source& source : all_sources()) {
        for (const std::string& header : includes_of(source)) {
            if (header.find("/detail/") == std::string::npos || header.starts_with("boost/")) continue;
            EXPECT_TRUE(header.starts_with(source.folder() + "/")) << source.path << " includes " << header;
        }
    }
}

TEST(SourceTree, ConfinesEachLibraryToItsPlace) {
    for (const Source& source : all_sources()) {
        for (const std::string& header : includes_of(source)) {
            for (const auto& [confined, places] : confined_headers) {
                if (!header.starts_with(confined)) continue;
                EXPECT_TRUE(std::ranges::any_of(
                    places, [&](const std::string& place) { return source.path.starts_with(place); }))
                    << source.path << " includes " << header;
            }
        }
    }
}

TEST(SourceTree, HasNoFileOverTheLimit) {
    for (const Source& source : all_sources())
        EXPECT_LE(source.lines.size(), most_lines) << source.path;
}

TEST(SourceTree, GuardsEveryHeader) {
    for (const Source& source : all_sources()) {
        if (!source.path.ends_with(".hpp")) continue;
        EXPECT_THAT(source.lines, testing::Contains("#pragma once")) << source.path;
    }
}

TEST(SourceTree, ListsTheFailpointsThatItPasses) {
    static const std::regex call{R"re(failpoint\("([^"]+)"\))re"};
    std::set<std::string> passed;
    for (const Source& source : all_sources()) {
        for (const std::string& line : source.lines) {
            if (std::smatch match; std::regex_search(line, match, call)) passed.insert(match[1]);
        }
    }
    const std::set<std::string> listed(decant::failpoint_names.begin(), decant::failpoint_names.end());
    EXPECT_EQ(listed, passed);
}

}  // namespace
