#include "core/log.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <mutex>

#include <fmt/chrono.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/version.h>

#include "core/enum_names.hpp"
#include "core/error.hpp"
#include "core/json.hpp"
#include "core/log_file.hpp"
#include "core/utf8.hpp"

namespace decant::log {
namespace {

std::atomic<bool> is_line_open{false};

constexpr EnumNames<Level, 4> level_names{{"debug", "info", "warning", "error"}};
static_assert(spdlog::level::err - spdlog::level::debug == static_cast<int>(Level::error), "one after another");

spdlog::level::level_enum to_spdlog(Level level) {
    return static_cast<spdlog::level::level_enum>(spdlog::level::debug + static_cast<int>(level));
}

std::string time_text(spdlog::log_clock::time_point time) {
    const auto since_second = time.time_since_epoch() % std::chrono::seconds{1};
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(since_second).count();
    const std::tm utc = fmt::gmtime(std::chrono::system_clock::to_time_t(time));
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", utc, milliseconds);
}

constexpr std::string_view own_name = "decant";

/// As Python's logging writes it.
std::string named_line(const spdlog::details::log_msg& message, std::string_view text) {
    static constexpr std::array<std::string_view, 4> names{"DEBUG", "INFO", "WARNING", "ERROR"};
    const std::tm local = fmt::localtime(std::chrono::system_clock::to_time_t(message.time));
    return fmt::format("{:%Y-%m-%d %H:%M:%S} - {} - {} - {}\n", local,
                       std::string_view{message.logger_name.data(), message.logger_name.size()},
                       names[static_cast<std::size_t>(message.level - spdlog::level::debug)], printable(text));
}

enum class Form { console, file, json };

std::string line_of(const spdlog::details::log_msg& message, Form form) {
    const std::string_view text{message.payload.data(), message.payload.size()};
    const std::string_view level = level_names[static_cast<Level>(message.level - spdlog::level::debug)];
    const std::string_view logger{message.logger_name.data(), message.logger_name.size()};
    if (form == Form::json) {
        json::object line{{"time", time_text(message.time)}, {"level", level}, {"message", text}};
        if (logger != own_name) line["logger"] = logger;
        return json_text(line) + "\n";
    }
    if (logger != own_name) return named_line(message, text);
    if (form == Form::file) return fmt::format("{} {} {}\n", time_text(message.time), level, printable(text));
    if (message.level == spdlog::level::info) return fmt::format("decant: {}\n", printable(text));
    return fmt::format("decant: {}: {}\n", level, printable(text));
}

class Formatter : public spdlog::formatter {
public:
    explicit Formatter(Form form) : form_(form) {}

    void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
        const std::string line = line_of(message, form_);
        out.append(line.data(), line.data() + line.size());
    }

    std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<Formatter>(form_); }

private:
    Form form_;
};

class StderrSink : public spdlog::sinks::base_sink<std::mutex> {
protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        spdlog::memory_buf_t line;
        if (is_line_open.exchange(false)) line.push_back('\n');
        formatter_->format(message, line);
        std::fwrite(line.data(), 1, line.size(), stderr);
    }

    void flush_() override { std::fflush(stderr); }
};

std::shared_ptr<spdlog::logger> make_logger(Form console_form) {
    auto console = std::make_shared<StderrSink>();
    console->set_formatter(std::make_unique<Formatter>(console_form));
    auto logger = std::make_shared<spdlog::logger>(std::string{own_name}, std::move(console));
    logger->set_level(spdlog::level::warn);
    logger->flush_on(spdlog::level::debug);
    return logger;
}

/// Replaced once, by configure(), before other threads are started.
std::shared_ptr<spdlog::logger>& current() {
    static std::shared_ptr<spdlog::logger> logger = make_logger(Form::console);
    return logger;
}

void add_file(spdlog::logger& logger, const std::string& path, Form form) {
    try {
        auto file = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path);
        file->set_formatter(std::make_unique<Formatter>(form));
        logger.sinks().push_back(std::move(file));
    } catch (const spdlog::spdlog_ex& error) {
        throw Error{ErrorCode::config_invalid, fmt::format("LOG_FILE: {}", error.what()),
                    "name a file that can be written, or unset LOG_FILE"};
    }
}

}  // namespace

void configure(const Settings& settings) {
    const bool is_json = settings.get("LOG_FORMAT") == "json";
    std::shared_ptr<spdlog::logger> logger = make_logger(is_json ? Form::json : Form::console);
    if (const auto path = settings.get("LOG_FILE")) add_file(*logger, *path, is_json ? Form::json : Form::file);
    current() = std::move(logger);
    set_level(settings);
}

void also_write_to(const std::filesystem::path& path, const Settings& settings) {
    std::error_code ignored;  // opening the file tells
    std::filesystem::create_directories(path.parent_path(), ignored);
    add_file(*current(), path.string(), settings.get("LOG_FORMAT") == "json" ? Form::json : Form::file);
}

void set_level(const Settings& settings) {
    current()->set_level(spdlog::level::from_str(settings.get("LOG_LEVEL").value_or("info")));
}

bool is_enabled(Level level) noexcept {
    return current()->should_log(to_spdlog(level));
}

void write(Level level, std::string_view message) {
    current()->log(to_spdlog(level), spdlog::string_view_t{message});
}

void named(std::string_view logger, Level level, std::string_view message) {
    if (!is_enabled(level)) return;
    const auto& sinks = current()->sinks();
    spdlog::logger other{std::string{logger}, sinks.begin(), sinks.end()};
    other.set_level(current()->level());
    other.flush_on(spdlog::level::debug);
    other.log(to_spdlog(level), spdlog::string_view_t{message});
}

void set_line_open(bool is_open) noexcept {
    is_line_open = is_open;
}

std::string library_version() {
    return fmt::format("{}.{}.{}", SPDLOG_VER_MAJOR, SPDLOG_VER_MINOR, SPDLOG_VER_PATCH);
}

}  // namespace decant::log
