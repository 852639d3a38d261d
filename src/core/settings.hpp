#pragma once

#include <functional>
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
    bool is_secret;                  ///< never shown; KEY_FILE may name a file that holds it
    std::string_view allowed;        ///< "a|b|c" or "low..high"; empty: any text
    std::string_view help;
};

std::span<const SettingSpec> all_settings() noexcept;

/// Where a value came from; flag > environment > .env > default.
enum class SettingOrigin { flag, environment, dotenv, default_value, unset };

std::string_view name_of(SettingOrigin origin) noexcept;

/// Read once, then immutable. A key that is set to an empty text counts as not set.
class Settings {
public:
    using Variables = std::map<std::string, std::string>;

    /// Reads the process's environment and `.env` of the working directory (DECANT_ENV_FILE names another), with
    /// `flags` (key → value) on top.
    /// Throws Error{config_invalid} with the line of .env, and for an unknown DECANT_* key, naming the nearest one.
    static Settings load(const Variables& flags);

    /// As load, with `environment` in the place of the process's.
    static Settings from(const Variables& flags, const Variables& environment);

    /// Reads environment and `.env` again, under the same flags. Throws as load.
    Settings reread() const { return load(flags_); }

    /// The value, or none when unset and without default. `key` must be in the table. KEY_FILE variants are followed.
    std::optional<std::string> get(std::string_view key) const;
    /// Whether it is true, True, 1, yes or on.
    bool is_on(std::string_view key) const;
    SettingOrigin origin(std::string_view key) const;

    /// The .env that was read; empty when there was none.
    const std::string& dotenv_path() const noexcept { return dotenv_path_; }

private:
    struct Value {
        std::string value;
        SettingOrigin origin;
    };
    void take(const Variables& variables, SettingOrigin origin);

    std::map<std::string, Value, std::less<>> values_;
    std::string dotenv_path_;
    Variables flags_;
};

/// The text of .env.example: every setting with its help, commented out.
std::string dotenv_example();

/// The text of docs/settings.md.
std::string settings_document();

}  // namespace decant
