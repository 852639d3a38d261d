#include "chroma/detail/locate.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "core/error.hpp"

namespace decant::chroma::detail {
namespace fs = std::filesystem;
namespace {

constexpr auto database_file = "chroma.sqlite3";
constexpr auto parquet_file = "chroma-collections.parquet";
constexpr int deepest_search = 3;
constexpr auto select_newer_migrations =
    "SELECT dir, filename FROM migrations WHERE (dir = 'sysdb' AND version > 10) OR (dir = 'metadb' AND version > 6)"
    " OR (dir = 'embeddings_queue' AND version > 2) OR dir NOT IN ('sysdb', 'metadb', 'embeddings_queue')"
    " ORDER BY dir, version LIMIT 20";

/// Folders at `path` or below that hold a file of this name.
std::vector<fs::path> find_holders(const fs::path& path, std::string_view name) {
    std::vector<fs::path> holders;
    std::error_code ignored;
    fs::recursive_directory_iterator entry{path, fs::directory_options::skip_permission_denied, ignored};
    for (; entry != fs::recursive_directory_iterator{}; entry.increment(ignored)) {
        if (entry.depth() >= deepest_search) {
            entry.disable_recursion_pending();
        }
        if (entry->path().filename() == name && entry->is_regular_file(ignored)) {
            holders.push_back(entry->path().parent_path());
        }
    }
    std::sort(holders.begin(), holders.end());
    return holders;
}

[[noreturn]] void throw_none(const fs::path& path) {
    const std::vector<fs::path> parquet = find_holders(path, parquet_file);
    if (!parquet.empty()) {
        throw Error{
            ErrorCode::source_unreadable,
            fmt::format("{} was written by Chroma 0.3 (DuckDB and Parquet), which decant does not read.",
                        parquet.front().string()),
            "convert it once with Chroma's own tool: pip install chroma-migrate && chroma-migrate; then give the "
            "directory that it writes"};
    }
    throw Error{
        ErrorCode::not_found,
        fmt::format("There is no {} in {} or up to {} levels below.", database_file, path.string(), deepest_search),
        "give the directory that was passed to chromadb.PersistentClient(path=...)"};
}

}  // namespace

fs::path locate_directory(const fs::path& path) {
    std::error_code ignored;
    if (path.filename() == database_file && fs::is_regular_file(path, ignored)) {
        return path.has_parent_path() ? path.parent_path() : fs::path{"."};
    }
    if (fs::is_regular_file(path / database_file, ignored)) {
        return path;
    }
    if (::access(path.c_str(), R_OK | X_OK) != 0 && errno == EACCES) {
        throw Error{ErrorCode::permission_denied, fmt::format("{} may not be read by this user.", path.string()),
                    "run as a user that may read the Chroma directory"};
    }
    const std::vector<fs::path> holders = find_holders(path, database_file);
    if (holders.empty()) {
        throw_none(path);
    }
    if (holders.size() > 1) {
        throw Error{ErrorCode::conflict,
                    fmt::format("{} holds {} Chroma directories, among them {} and {}.", path.string(), holders.size(),
                                holders[0].string(), holders[1].string()),
                    "give one of them"};
    }
    return holders.front();
}

std::vector<Finding> inspect_surroundings(const Database& db, const fs::path& directory, const Catalog& catalog) {
    std::vector<Finding> findings;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator{directory, ignored}) {
        const std::string name = entry.path().filename().string();
        if (fs::is_regular_file(entry.path() / "header.bin", ignored) &&
            !std::binary_search(catalog.segments.begin(), catalog.segments.end(), name)) {
            findings.push_back({Finding::Severity::note, name,
                                "No collection owns this folder: it is left of a deleted one and is not read."});
        }
    }
    std::sort(findings.begin(), findings.end(),
              [](const Finding& left, const Finding& right) { return left.object < right.object; });
    if (db.has_table("migrations")) {
        Statement newer = db.prepare(select_newer_migrations);
        while (newer.step()) {
            findings.push_back(
                {Finding::Severity::warning, "migrations",
                 fmt::format("{}/{} is newer than what decant was checked with.", newer.text(0), newer.text(1))});
        }
    }
    return findings;
}

}  // namespace decant::chroma::detail
