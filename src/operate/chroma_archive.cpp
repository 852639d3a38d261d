#include "operate/chroma_archive.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "chroma/directory.hpp"
#include "chroma/directory_snapshot.hpp"
#include "core/error.hpp"
#include "core/quantity_text.hpp"
#include "core/utf8.hpp"
#include "operate/postgres_tool.hpp"

namespace decant::operate {
namespace {

namespace fs = std::filesystem;

void run_tar(const std::vector<std::string>& arguments) {
    ProgramCall call{.argv = {find_program("tar").string()}};
    call.argv.insert(call.argv.end(), arguments.begin(), arguments.end());
    run_writer(std::move(call), [](const std::string& said) {
        return Error{ErrorCode::source_unreadable, fmt::format("tar failed: {}", printable(said)),
                     "Mend what it names, then run the same command again."};
    });
}

std::vector<CollectionCount> count_records(const fs::path& folder) {
    const chroma::Directory directory = chroma::Directory::open(folder);
    std::vector<CollectionCount> counts;
    for (const chroma::Collection& collection : directory.collections())
        counts.push_back({collection.name, collection.id, directory.survey(collection).records});
    return counts;
}

/// The copy belongs to this process; the directory's own mode and owner go into the archive.
struct stat status_of(const fs::path& folder) {
    struct stat status{};
    if (::stat(folder.c_str(), &status) == 0) return status;
    throw Error{ErrorCode::not_found, fmt::format("{} is gone", folder.string()), "Run the same command again."};
}

/// A folder that its owner may not write could not be removed.
class ModeForArchive {
public:
    ModeForArchive(fs::path folder, fs::perms mode) : folder_(std::move(folder)) { fs::permissions(folder_, mode); }
    ModeForArchive(const ModeForArchive&) = delete;
    ModeForArchive& operator=(const ModeForArchive&) = delete;
    ~ModeForArchive() {
        std::error_code ignored;
        fs::permissions(folder_, fs::perms::owner_all, ignored);
    }

private:
    fs::path folder_;
};

}  // namespace

ChromaBackup archive_directory(const fs::path& source, const fs::path& file) {
    const chroma::DirectorySnapshot snapshot{source, file.parent_path()};
    ChromaBackup backup{.file = {},
                        .path = fs::absolute(snapshot.source()).string(),
                        .seq_id = snapshot.newest_seq_id(),
                        .collections = count_records(snapshot.folder())};
    const struct stat status = status_of(snapshot.source());
    const ModeForArchive mode{snapshot.folder(), static_cast<fs::perms>(status.st_mode & 07777U)};
    run_tar({"-czf", fs::absolute(file).string(), fmt::format("--owner={}", status.st_uid),
             fmt::format("--group={}", status.st_gid), "--numeric-owner",
             fmt::format("--exclude=./{}", chroma::snapshot_lock_file), "-C", fs::absolute(snapshot.folder()).string(),
             "."});
    backup.file = measure_file(file);
    return backup;
}

std::vector<std::string> unpack_directory(const ChromaBackup& backup, const fs::path& file, const fs::path& into) {
    run_tar({"-xzf", fs::absolute(file).string(), "--numeric-owner", "-p", "-C", fs::absolute(into).string()});
    std::vector<std::string> said;
    const std::vector<CollectionCount> found = count_records(into);
    for (const CollectionCount& expected : backup.collections) {
        const auto at = std::ranges::find(found, expected.id, &CollectionCount::id);
        if (at == found.end())
            said.push_back(fmt::format("collection {} is missing", expected.name));
        else if (at->records != expected.records)
            said.push_back(fmt::format("collection {} has {} records in the place of {}", expected.name,
                                       grouped(at->records), grouped(expected.records)));
    }
    return said;
}

}  // namespace decant::operate
