#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

namespace decant {

/// Where a progress meter writes, and when it is.
struct ProgressOutput {
    bool is_terminal = false;
    bool has_color = false;
    std::size_t columns = 80;
    std::function<void(const std::string&)> write;
    std::function<std::chrono::steady_clock::time_point()> now;

    /// stderr and the real clock; a dumb terminal counts as none, NO_COLOR is respected.
    static ProgressOutput to_stderr();
};

/// Shows how far one phase is: on a terminal one line that is redrawn at most ten times a second, else a line every
/// five seconds. Thread-safe.
class Progress {
public:
    /// "copy" and "rows" give "copy  45 %  9,000/20,000 rows ...".
    Progress(std::string phase, std::string unit, ProgressOutput output = ProgressOutput::to_stderr());
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    ~Progress();

    /// All three count from the start of the phase; `total` 0 is unknown, `bytes` 0 is not shown.
    void update(std::uint64_t done, std::uint64_t total, std::uint64_t bytes = 0);

    /// Takes the line off the terminal, so that another text can be written; the next update draws it again.
    void hide();

    /// Draws the last state if anything was drawn at all, and ends the line. Nothing is drawn afterwards.
    void finish();

private:
    using Clock = std::chrono::steady_clock;

    void draw(Clock::time_point now);
    std::string line(Clock::time_point now) const;
    std::string bar(std::size_t width) const;

    const std::string phase_;
    const std::string unit_;
    const ProgressOutput output_;
    const Clock::time_point started_;
    std::mutex mutex_;
    std::optional<Clock::time_point> drawn_;
    std::uint64_t drawn_done_ = 0;
    std::uint64_t done_ = 0;
    std::uint64_t total_ = 0;
    std::uint64_t bytes_ = 0;
    bool is_finished_ = false;
};

}  // namespace decant
