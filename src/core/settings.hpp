#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace decant {

/// One known setting. The table in settings.cpp makes .env.example, `decant config` and docs/settings.md.
struct SettingSpec {
    std::string_view key;
    std::string_view default_value;  ///< empty: unset
    bool is_secret;
    std::string_view help;
};

std::span<const SettingSpec> all_settings() noexcept;

/// Where a value came from; flag > environment > .env > default.
enum class SettingOrigin { flag, environment, dotenv, default_value, unset };

/// Read once, then immutable.
class Settings {
public:
    /// Reads the process's environment and `.env` of the working directory (DECANT_ENV_FILE names another), with `flags` (key → value) on top.
    /// Throws Error{config_invalid} with the line of .env, and for an unknown DECANT_* key, naming the nearest one.
    static Settings load(const std::map<std::string, std::string>& flags);

    /// The value, or none when unset and without default. `key` must be in the table. KEY_FILE variants are followed.
    std::optional<std::string> get(std::string_view key) const;
    SettingOrigin origin(std::string_view key) const;

private:
    struct Value {
        std::string value;
        SettingOrigin origin;
    };
    std::map<std::string, Value, std::less<>> values_;
};

}  // namespace decant
