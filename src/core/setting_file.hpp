#pragma once

#include <string>

namespace decant {

/// What a file of settings holds, which decides who else may be able to read it.
enum class SettingFile {
    dotenv,  ///< must not be writable for everyone
    secret,  ///< must not be readable for everyone either, except on a read-only mount (container secrets)
};

/// The whole file; of a secret the line end at its end is left out.
/// Throws Error{config_invalid} when it is missing, unreadable, over 1 MiB, empty (secret) or too open.
std::string read_setting_file(const std::string& path, SettingFile kind);

}  // namespace decant
