#include "core/progress.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/log.hpp"
#include "core/quantity_text.hpp"

namespace decant {
namespace {

using namespace std::chrono_literals;

constexpr auto redraw_interval = 100ms;
constexpr auto line_interval = 5s;
constexpr std::size_t bar_width = 24;
constexpr std::size_t columns_for_bar = 100;

bool is_set(const char* variable) {
    const char* value = std::getenv(variable);
    return value != nullptr && *value != '\0';
}

std::size_t terminal_columns() {
    winsize size{};
    constexpr std::size_t usual = 80;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : usual;
}

/// Cuts to `columns` so that the line never wraps, which could not be redrawn. The text is ASCII.
std::string cut(std::string text, std::size_t columns) {
    if (text.size() >= columns) text.resize(columns - 1);
    return text;
}

}  // namespace

ProgressOutput ProgressOutput::to_stderr() {
    const char* term = std::getenv("TERM");
    const bool is_dumb = term == nullptr || std::string_view{term} == "dumb";
    ProgressOutput output;
    output.is_terminal = isatty(STDERR_FILENO) == 1 && !is_dumb;
    output.has_color = output.is_terminal && !is_set("NO_COLOR");
    output.columns = output.is_terminal ? terminal_columns() : 0;
    output.write = [](const std::string& text) {
        std::fwrite(text.data(), 1, text.size(), stderr);
        std::fflush(stderr);
    };
    output.now = [] { return std::chrono::steady_clock::now(); };
    return output;
}

Progress::Progress(std::string phase, std::string unit, ProgressOutput output)
    : phase_(std::move(phase)), unit_(std::move(unit)), output_(std::move(output)), started_(output_.now()) {}

Progress::~Progress() {
    finish();
}

void Progress::update(std::uint64_t done, std::uint64_t total, std::uint64_t bytes) {
    const std::lock_guard lock{mutex_};
    if (is_finished_) return;
    done_ = done;
    total_ = total;
    bytes_ = bytes;
    const Clock::time_point now = output_.now();
    const Clock::duration interval = output_.is_terminal ? Clock::duration{redraw_interval} : line_interval;
    if (now - drawn_.value_or(started_) >= interval) draw(now);
}

void Progress::hide() {
    const std::lock_guard lock{mutex_};
    if (is_finished_ || !drawn_ || !output_.is_terminal) return;
    output_.write("\r\x1b[K");
    log::set_line_open(false);
}

void Progress::finish() {
    const std::lock_guard lock{mutex_};
    if (is_finished_) return;
    is_finished_ = true;
    if (!drawn_) return;
    // A line of a log is not written twice.
    if (output_.is_terminal || drawn_done_ != done_) draw(output_.now());
    if (output_.is_terminal) output_.write("\n");
    log::set_line_open(false);
}

void Progress::draw(Clock::time_point now) {
    drawn_ = now;
    drawn_done_ = done_;
    if (output_.is_terminal) {
        output_.write("\r\x1b[K" + line(now));
        log::set_line_open(true);
    } else {
        output_.write(line(now) + "\n");
    }
}

std::string Progress::line(Clock::time_point now) const {
    const double seconds = std::chrono::duration<double>(now - started_).count();
    const double rate = seconds > 0 ? static_cast<double>(done_) / seconds : 0;
    std::string text = phase_;
    const bool has_bar = output_.is_terminal && total_ > 0 && output_.columns >= columns_for_bar;
    if (total_ > 0) {
        text += fmt::format("  {:3} %  {}/{} {}", std::min<std::uint64_t>(100, done_ * 100 / total_), grouped(done_),
                            grouped(total_), unit_);
    } else {
        text += fmt::format("  {} {}", grouped(done_), unit_);
    }
    text += fmt::format("  {} {}/s", grouped(static_cast<std::uint64_t>(rate)), unit_);
    if (bytes_ > 0 && seconds > 0) {
        text += fmt::format("  {}/s", bytes_text(static_cast<std::uint64_t>(static_cast<double>(bytes_) / seconds)));
    }
    if (total_ > done_ && rate > 0) {
        const auto left = static_cast<std::int64_t>(static_cast<double>(total_ - done_) / rate);
        text += fmt::format("  ETA {}", clock_text(std::chrono::seconds{left}));
    }
    if (!output_.is_terminal) return text;
    text = cut(std::move(text), output_.columns - (has_bar ? bar_width + 4 : 0));
    return has_bar ? bar(bar_width) + "  " + text : text;
}

std::string Progress::bar(std::size_t width) const {
    const std::uint64_t done = std::min(done_, total_);
    const auto filled =
        static_cast<std::size_t>(static_cast<double>(width) * static_cast<double>(done) / static_cast<double>(total_));
    const std::string full(filled, '#');
    const std::string rest(width - filled, '.');
    return output_.has_color ? fmt::format("[\x1b[32m{}\x1b[0m{}]", full, rest) : fmt::format("[{}{}]", full, rest);
}

}  // namespace decant
