#include "migrate/detail/retry.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/interrupt.hpp"
#include "core/shell_word.hpp"

namespace decant::migrate::detail {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

}  // namespace

bool RetryBudget::wait(const Error& error, bool had_progress, CopyObserver& observer) {
    // A source that changes under every attempt would be read for ever.
    if (error.code() == ErrorCode::source_changed && ++changes_ >= 3) return false;
    if (had_progress || failures_ == 0) {
        failures_ = 0;
        first_failure_ = Clock::now();
    }
    ++failures_;
    const bool is_away = is_server_away(error.code()) || error.code() == ErrorCode::commit_in_doubt;
    if (is_away ? Clock::now() - first_failure_ > 60s : failures_ >= 5) return false;
    const auto longest = std::min<std::chrono::milliseconds>(50ms * (1 << std::min(failures_, 6)), 2s);
    std::uniform_int_distribution<std::int64_t> jitter{longest.count() / 2, longest.count()};
    observer.note(fmt::format("{}: {}; trying again", traits_of(error.code()).name, error.happened()));
    return sleep_unless_interrupted(std::chrono::milliseconds{jitter(random_)});
}

void mark_run(pg::Connection& db, std::int64_t run_id, const std::string& state) noexcept {
    try {
        RunStore{db}.set_state(run_id, state);
    } catch (const std::exception&) {
        return;  // a run left 'running' is taken over by the next
    }
}

Error lost_records_error(const std::string& source, const chroma::RecordReader& reader) {
    const chroma::LostRecord& first = reader.lost().front();
    const std::string& name = reader.collection().name.empty() ? reader.collection().id : reader.collection().name;
    return {
        ErrorCode::source_unreadable,
        fmt::format("{} of {} records of collection '{}' cannot be had whole; the first: '{}' ({})",
                    reader.lost().size(), reader.lost().size() + reader.record_count(), name, first.id, first.reason),
        fmt::format("See all with `decant inspect {} --collection {} --list-lost`; copy the others with "
                    "--allow-partial. Nothing was written.",
                    shell_word(source), shell_word(name))};
}

}  // namespace decant::migrate::detail
