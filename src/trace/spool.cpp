#include "trace/spool.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/read_file.hpp"
#include "core/utf8.hpp"
#include "core/write_file.hpp"
#include "trace/time.hpp"

namespace decant::trace {
namespace {

namespace fs = std::filesystem;

/// "TIME-PROCESS-COUNT-RUNS.runs": their order is that of their names.
constexpr std::string_view suffix = ".runs";
/// Of a process that was killed while it wrote.
constexpr std::string_view part_suffix = ".part";

constexpr FileToRead stored_file{
    .what = "file of stored traces", .most_bytes = 256UL << 20U, .remedy = "It is removed."};

std::optional<std::size_t> runs_in(const fs::path& path) {
    const std::string name = path.stem().string();
    const std::size_t hyphen = name.rfind('-');
    if (path.extension() != suffix || hyphen == std::string::npos) return std::nullopt;
    std::size_t runs = 0;
    const auto read = std::from_chars(name.data() + hyphen + 1, name.data() + name.size(), runs);
    return read.ec == std::errc{} ? std::optional{runs} : std::nullopt;
}

std::string lines_of(const Runs& runs) {
    std::string lines;
    for (const Run* run : runs)
        lines += line_of(*run) + "\n";
    return lines;
}

/// None: the file is damaged, as after a loss of power, or larger than any that is written. Throws Error where it
/// cannot be read now.
std::vector<Run> read_runs(const fs::path& path) {
    bool is_read = false;
    try {
        const std::string lines = read_file(path.string(), stored_file);
        is_read = true;
        std::vector<Run> runs;
        for (std::size_t at = 0; at < lines.size();) {
            const std::size_t end = std::min(lines.find('\n', at), lines.size());
            runs.push_back(read_line({lines.data() + at, end - at}));
            at = end + 1;
        }
        return runs;
    } catch (const Error& error) {
        if (!is_read && error.code() != ErrorCode::too_large) throw;
        log::warning("stored runs are left out: {}", printable(error.happened()));
        return {};
    }
}

bool is_left_behind(const fs::path& path) {
    std::error_code failed;
    const auto written = fs::last_write_time(path, failed);
    return !failed && path.extension() == part_suffix &&
           fs::file_time_type::clock::now() - written > std::chrono::hours{1};
}

}  // namespace

Spool::Spool(fs::path folder, std::size_t most_bytes) : folder_(std::move(folder)), most_bytes_(most_bytes) {
    find_files();
}

void Spool::find_files() {
    std::error_code failed;
    std::vector<fs::path> left;
    for (const fs::directory_entry& entry : fs::directory_iterator{folder_, failed}) {
        if (is_left_behind(entry.path())) left.push_back(entry.path());
        const std::optional<std::size_t> runs = runs_in(entry.path());
        if (!runs) continue;
        const auto bytes = static_cast<std::size_t>(entry.file_size(failed));
        if (failed) continue;
        files_.push_back({entry.path(), bytes, *runs});
        bytes_ += bytes;
    }
    for (const fs::path& path : left)
        fs::remove(path, failed);
    std::ranges::sort(files_, {}, &File::path);
}

void Spool::put(const Runs& runs) {
    const std::string lines = lines_of(runs);
    while (!files_.empty() && bytes_ + lines.size() > most_bytes_) {
        dropped_ += files_.front().runs;
        remove(0);
    }
    if (lines.size() > most_bytes_)
        dropped_ += runs.size();
    else
        write(lines, runs.size());
}

void Spool::write(const std::string& lines, std::size_t runs) {
    std::error_code failed;
    if (!fs::exists(folder_, failed)) {
        fs::create_directories(folder_, failed);
        fs::permissions(folder_, fs::perms::owner_all, failed);
    }
    const fs::path path = folder_ / fmt::format("{:020}-{:07}-{:06}-{}{}", now().time_since_epoch().count(), ::getpid(),
                                                put_++, runs, suffix);
    // A sync would hold up PostgreSQL's commits on the same disk, and so the requests that this must never slow.
    write_file(path, lines, Durability::crash_of_process);
    files_.push_back({path, lines.size(), runs});
    bytes_ += lines.size();
}

std::optional<std::vector<Run>> Spool::next() {
    for (; !files_.empty(); remove_next()) {
        const File& file = files_[next_];
        std::error_code failed;
        if (!fs::exists(file.path, failed) && !failed) continue;  // another process was faster
        std::vector<Run> runs = read_runs(file.path);
        if (!runs.empty()) return runs;
        dropped_ += file.runs;
    }
    return std::nullopt;
}

void Spool::remove_next() {
    remove(next_);
    next_ = 0;
}

void Spool::skip_next() {
    next_ = (next_ + 1) % files_.size();
}

void Spool::halve_next(const Runs& runs) {
    const auto middle = runs.begin() + static_cast<std::ptrdiff_t>(runs.size() / 2);
    const Runs first{runs.begin(), middle};
    const Runs second{middle, runs.end()};
    write(lines_of(first), first.size());
    try {
        write(lines_of(second), second.size());
    } catch (const Error&) {
        remove(files_.size() - 1);  // else they would be told twice
        throw;
    }
    for (std::size_t half = files_.size() - 2; half < files_.size(); ++half)
        files_[half].failures = 1;
    remove_next();
}

int Spool::count_failure(std::uint64_t taken) {
    File& file = files_[next_];
    if (std::exchange(file.failed_after, taken) != taken) ++file.failures;
    return file.failures;
}

void Spool::remove(std::size_t at) {
    const auto file = files_.begin() + static_cast<std::ptrdiff_t>(at);
    std::error_code failed;  // another process may have been faster
    fs::remove(file->path, failed);
    bytes_ -= file->bytes;
    files_.erase(file);
    if (next_ > at) --next_;
}

}  // namespace decant::trace
