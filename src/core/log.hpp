#pragma once

#include <string>
#include <string_view>

#include <fmt/core.h>

#include "core/settings.hpp"

/// Messages to the user and the operator: stderr, and LOG_FILE with the time. Any thread. Before configure() only
/// warnings and errors are written, as text.
namespace decant::log {

enum class Level { debug, info, warning, error };

/// Takes LOG_LEVEL, LOG_FORMAT and LOG_FILE. Throws Error{config_invalid} when LOG_FILE cannot be opened.
void configure(const Settings& settings);

/// Takes LOG_LEVEL again. Any time.
void set_level(const Settings& settings);

bool is_enabled(Level level) noexcept;
void write(Level level, std::string_view message);

/// Under another logger's name, in the form that log readers of the guide know, on stderr and in LOG_FILE:
/// `2025-09-30 10:00:00 - app.agents.subagent.product_agent - INFO - message`, in local time; with LOG_FORMAT=json a
/// line with "logger".
void named(std::string_view logger, Level level, std::string_view message);

/// The progress meter tells that it left the cursor behind its line: the next message starts a new one.
void set_line_open(bool is_open) noexcept;

/// Version of the library behind.
std::string library_version();

template <typename... Args>
void write_formatted(Level level, fmt::format_string<Args...> format, Args&&... args) {
    if (is_enabled(level)) write(level, fmt::format(format, std::forward<Args>(args)...));
}

template <typename... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
    write_formatted(Level::debug, format, std::forward<Args>(args)...);
}

template <typename... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
    write_formatted(Level::info, format, std::forward<Args>(args)...);
}

template <typename... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
    write_formatted(Level::warning, format, std::forward<Args>(args)...);
}

template <typename... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
    write_formatted(Level::error, format, std::forward<Args>(args)...);
}

}  // namespace decant::log
