#include "chroma/directory_vectors.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <utility>

#include "chroma/detail/locate.hpp"
#include "chroma/detail/mapped_file.hpp"
#include "chroma/directory.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/quantity_text.hpp"

namespace decant::chroma {
namespace {

using namespace std::chrono_literals;

constexpr int read_tries = 3;

/// Within the tick of a file system's clock two writes leave the same time. A file that was written so shortly before
/// it was looked at may have been written again without a sign.
constexpr std::chrono::nanoseconds settling_time = 50ms;

/// Chroma writes every change to chroma.sqlite3 first (docs/formats/chroma.md); the index files only repeat it. They
/// are watched while they are read.
struct DirectoryStamp {
    std::filesystem::path folder;
    std::array<std::optional<detail::FileStamp>, 2> files;
    bool is_settled = true;

    bool is_same(const DirectoryStamp& other) const { return folder == other.folder && files == other.files; }
};

DirectoryStamp stamp_of(const std::filesystem::path& folder) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    DirectoryStamp stamp{
        .folder = folder,
        .files = {detail::stamp_of(folder / "chroma.sqlite3"), detail::stamp_of(folder / "chroma.sqlite3-wal")}};
    stamp.is_settled = std::ranges::all_of(stamp.files, [now](const auto& file) {
        return !file || now - std::chrono::nanoseconds{file->modified_ns} > settling_time;
    });
    return stamp;
}

}  // namespace

struct DirectoryVectors::Held {
    DirectoryStamp stamp;  ///< of before it was read
    std::string fingerprint;
    std::shared_ptr<const VectorTable> table;

    bool is_current() const { return stamp.is_settled && stamp.is_same(stamp_of(stamp.folder)); }
};

DirectoryVectors::DirectoryVectors(std::filesystem::path path, CollectionName collection)
    : path_(std::move(path)), collection_(std::move(collection)) {}
DirectoryVectors::~DirectoryVectors() = default;

std::shared_ptr<const DirectoryVectors::Held> DirectoryVectors::held() const {
    const std::lock_guard lock{mutex_};
    return held_;
}

std::shared_ptr<const VectorTable> DirectoryVectors::current(const std::stop_token& stop) {
    auto known = held();
    if (known && known->is_current()) return known->table;
    std::unique_lock reading{reading_, std::defer_lock};
    if (!known) {
        reading.lock();
    } else if (!reading.try_lock()) {
        return known->table;
    }
    known = held();  // another thread may have read it meanwhile
    if (known && known->is_current()) return known->table;
    auto read_now = read(known.get(), stop);
    const std::lock_guard lock{mutex_};
    held_ = read_now;
    return read_now->table;
}

std::shared_ptr<const DirectoryVectors::Held> DirectoryVectors::read(const Held* before,
                                                                     const std::stop_token& stop) const {
    for (int next_try = 2;; ++next_try) {
        try {
            Held held{.stamp = stamp_of(detail::locate_directory(path_)), .fingerprint = {}, .table = {}};
            const Directory directory = Directory::open(held.stamp.folder);
            const auto reader = directory.read(find_collection(directory, collection_));
            held.fingerprint = reader->fingerprint();
            if (before != nullptr && before->fingerprint == held.fingerprint) {
                held.table = before->table;
            } else {
                held.table = std::make_shared<const VectorTable>(*reader, stop);
                log::debug("{} vectors of collection '{}' in {} of memory", held.table->size(), collection_.name,
                           bytes_text(held.table->bytes()));
            }
            return std::make_shared<const Held>(std::move(held));
        } catch (const Error& error) {
            const bool may_pass = error.code() == ErrorCode::source_changed || error.code() == ErrorCode::busy;
            if (!may_pass || next_try > read_tries) throw;
        }
    }
}

}  // namespace decant::chroma
