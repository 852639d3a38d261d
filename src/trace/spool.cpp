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

std::size_t Spool::put(const Runs& runs) {
    std::string lines;
    for (const Run* run : runs)
        lines += line_of(*run) + "\n";
    std::size_t dropped = 0;
    while (!files_.empty() && bytes_ + lines.size() > most_bytes_) {
        dropped += files_.front().runs;
        remove_oldest();
    }
    if (lines.size() > most_bytes_) return dropped + runs.size();
    std::error_code failed;
    if (!fs::exists(folder_, failed)) {
        fs::create_directories(folder_, failed);
        fs::permissions(folder_, fs::perms::owner_all, failed);
    }
    const fs::path path = folder_ / fmt::format("{:020}-{:07}-{:06}-{}{}", now().time_since_epoch().count(), ::getpid(),
                                                count_++, runs.size(), suffix);
    // A sync would hold up PostgreSQL's commits on the same disk, and so the requests that this must never slow.
    write_file(path, lines, Durability::crash_of_process);
    files_.push_back({path, lines.size(), runs.size()});
    bytes_ += lines.size();
    return dropped;
}

std::optional<std::vector<Run>> Spool::oldest() {
    while (!files_.empty()) {
        try {
            const std::string lines = read_file(files_.front().path.string(), stored_file);
            std::vector<Run> runs;
            for (std::size_t at = 0; at < lines.size();) {
                const std::size_t end = std::min(lines.find('\n', at), lines.size());
                runs.push_back(read_line({lines.data() + at, end - at}));
                at = end + 1;
            }
            if (!runs.empty()) return runs;
        } catch (const Error& error) {
            log::warning("stored runs are left out: {}", printable(error.happened()));
        }
        remove_oldest();
    }
    return std::nullopt;
}

void Spool::remove_oldest() {
    std::error_code failed;  // another process may have been faster
    fs::remove(files_.front().path, failed);
    bytes_ -= files_.front().bytes;
    files_.pop_front();
}

}  // namespace decant::trace
