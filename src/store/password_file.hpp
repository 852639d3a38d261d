#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace decant::store {

/// What .decant/pgpass holds besides names: the port stays the same over restarts as long as it is free.
struct PasswordFile {
    int port;
    std::string password;  ///< hexadecimal
};

/// None when there is none, or none of ours.
std::optional<PasswordFile> read_password_file(const std::filesystem::path& path);

/// In libpq's format, 0600, replaced in one step. Throws Error{permission_denied}.
void write_password_file(const std::filesystem::path& path, const PasswordFile& content, const std::string& user);

/// 128 random bits in hexadecimal.
std::string random_password();

}  // namespace decant::store
