#include "chroma/detail/private_copy.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <map>
#include <string_view>
#include <system_error>
#include <thread>

#include "chroma/detail/change_watch.hpp"
#include "chroma/detail/mapped_file.hpp"
#include "chroma/detail/sqlite.hpp"
#include "chroma/directory_snapshot.hpp"
#include "core/error.hpp"

namespace decant::chroma::detail {
namespace fs = std::filesystem;
namespace {

constexpr int most_attempts = 40;
constexpr std::chrono::milliseconds pause{100};
/// A file that was just written may be in the middle of a write that its time does not show: times move in steps of a
/// few milliseconds.
constexpr std::chrono::nanoseconds settling_time = std::chrono::milliseconds{50};

constexpr std::string_view folder_prefix = "decant-snapshot-";
constexpr auto lock_file = snapshot_lock_file;
constexpr std::array database_files{"chroma.sqlite3", "chroma.sqlite3-journal", "chroma.sqlite3-wal"};
constexpr auto select_applied = "SELECT seq_id FROM max_seq_id";
constexpr auto select_newest = "SELECT max(seq_id) FROM embeddings_queue";

using Stamps = std::map<fs::path, FileStamp>;

/// Of every file of every vector segment's folder, by its path within `directory`.
Stamps stamp_index_files(const fs::path& directory) {
    Stamps stamps;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator{directory, ignored}) {
        for (const std::string& name : index_file_names) {
            if (const auto stamp = entry.is_directory(ignored) ? stamp_of(entry.path() / name) : std::nullopt) {
                stamps.emplace(entry.path().filename() / name, *stamp);
            }
        }
    }
    return stamps;
}

/// With the journal or the write-ahead log that a rollback or a recovery needs.
Stamps stamp_database_files(const fs::path& directory) {
    Stamps stamps;
    for (const char* name : database_files) {
        if (const auto stamp = stamp_of(directory / name)) {
            stamps.emplace(name, *stamp);
        }
    }
    return stamps;
}

bool is_settled(const Stamps& stamps) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    for (const auto& [file, stamp] : stamps) {
        const std::chrono::nanoseconds age = now - std::chrono::nanoseconds{stamp.modified_ns};
        if (age >= std::chrono::nanoseconds{0} && age < settling_time) {
            return false;
        }
    }
    return true;
}

/// False when the source is gone.
bool duplicate(const fs::path& from, const fs::path& to) {
    std::error_code error;
    fs::copy_file(from, to, fs::copy_options::overwrite_existing, error);
    if (error && error != std::errc::no_such_file_or_directory) {
        const bool is_full = error == std::errc::no_space_on_device;
        throw Error{
            is_full ? ErrorCode::store_full : ErrorCode::source_unreadable,
            fmt::format("{} cannot be copied to {}: {}.", from.string(), to.string(), error.message()),
            "a directory in use is read from a private copy: set TMPDIR to a folder with room for it, or stop the "
            "process that uses the directory"};
    }
    return !error;
}

/// Copies whose process was killed: nobody holds their lock.
void remove_abandoned_copies(const fs::path& place) {
    std::error_code ignored;
    fs::directory_iterator entry{place, fs::directory_options::skip_permission_denied, ignored};
    for (; entry != fs::directory_iterator{}; entry.increment(ignored)) {
        if (!entry->path().filename().string().starts_with(folder_prefix)) {
            continue;
        }
        const int lock = ::open((entry->path() / lock_file).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
        if (lock < 0) {
            continue;
        }
        if (::flock(lock, LOCK_EX | LOCK_NB) == 0) {
            fs::remove_all(entry->path(), ignored);
        }
        ::close(lock);
    }
}

}  // namespace

PrivateCopy::PrivateCopy(const fs::path& source, const fs::path& place) {
    remove_abandoned_copies(place);
    std::string pattern = (place / fmt::format("{}XXXXXX", folder_prefix)).string();
    if (::mkdtemp(pattern.data()) == nullptr) {
        throw Error{ErrorCode::source_unreadable, fmt::format("No folder could be made in {}.", pattern),
                    "set TMPDIR to a folder that this user may write"};
    }
    folder_ = pattern;
    lock_folder();
    try {
        for (int attempt = 0; attempt < most_attempts; ++attempt) {
            if (copy_once(source)) {
                return;
            }
            std::this_thread::sleep_for(pause);
        }
        throw Error{
            ErrorCode::source_changed,
            fmt::format("The index files of {} were written again and again while they were copied.", source.string()),
            "run the command again when less is written, or stop the writer"};
    } catch (...) {
        remove();
        throw;
    }
}

PrivateCopy::~PrivateCopy() {
    remove();
}

void PrivateCopy::lock_folder() {
    lock_ = ::open((folder_ / lock_file).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (lock_ < 0 || ::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
        remove();
        throw Error{ErrorCode::source_unreadable, fmt::format("{} cannot be locked.", folder_.string()),
                    "set TMPDIR to a folder of a local file system"};
    }
}

void PrivateCopy::remove() noexcept {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
    if (lock_ >= 0) {
        ::close(lock_);
    }
}

/// The index files must be the same before and after chroma.sqlite3 was copied. Chroma writes them before it notes in
/// max_seq_id that it did, so they may be ahead of the database, never behind: the queue still has the rows then, and
/// replaying them again changes nothing.
bool PrivateCopy::copy_once(const fs::path& source) {
    const Stamps before = stamp_index_files(source);
    if (!is_settled(before)) {
        return false;
    }
    if (!copy_database(source)) {
        return false;
    }
    for (const auto& [file, stamp] : before) {
        fs::create_directories(folder_ / file.parent_path());
        if (!duplicate(source / file, folder_ / file)) {
            return false;
        }
    }
    return stamp_index_files(source) == before;
}

/// False when it was written meanwhile.
bool PrivateCopy::copy_database(const fs::path& source) {
    std::error_code ignored;
    for (const char* name : database_files) {
        fs::remove(folder_ / name, ignored);
    }
    const fs::path file = source / "chroma.sqlite3";
    const fs::path copy = folder_ / "chroma.sqlite3";
    const bool was_locked = !uses_write_ahead_log(file) && with_shared_lock(file, [&] { duplicate(file, copy); });
    if (!was_locked) {
        const Stamps before = stamp_database_files(source);
        for (const auto& [name, stamp] : before) {
            duplicate(source / name, folder_ / name);
        }
        if (stamp_database_files(source) != before || !is_settled(before)) {
            return false;
        }
    }
    const Database recovering{copy, Access::recover_copy};
    recovering.execute("PRAGMA journal_mode = DELETE");
    recovering.execute("SELECT count(*) FROM sqlite_master");
    return true;
}

std::uint64_t PrivateCopy::newest_seq_id() const {
    const Database db{folder_ / "chroma.sqlite3"};
    Statement queued = db.prepare(select_newest);
    std::uint64_t newest = queued.step() ? queued.seq_id(0).value_or(0) : 0;
    Statement applied = db.prepare(select_applied);
    while (applied.step()) {
        newest = std::max(newest, applied.seq_id(0).value_or(0));
    }
    return newest;
}

}  // namespace decant::chroma::detail
