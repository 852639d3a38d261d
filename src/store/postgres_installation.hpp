#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/child_process.hpp"

namespace decant::store {

/// The PostgreSQL with pgvector that scripts/setup unpacked. Its programs need its own lib/ folder, for them alone.
class PostgresInstallation {
public:
    /// `named` (DECANT_POSTGRES_DIR), else /var/lib/decant/, else .deps/ in a folder above this program.
    /// Throws Error{store_unavailable}.
    static PostgresInstallation find(const std::optional<std::string>& named);

    const std::filesystem::path& folder() const noexcept { return folder_; }

    /// A call of one of its programs, such as "initdb"; it runs in `/`.
    ProgramCall call(std::string_view program, const std::vector<std::string>& arguments) const;

private:
    explicit PostgresInstallation(std::filesystem::path folder) : folder_(std::move(folder)) {}
    std::filesystem::path folder_;
};

/// Who runs the servers of this process: itself, and when it is root, which PostgreSQL refuses, the system user
/// `decant`, else `nobody`.
struct ServerAccount {
    Account account;
    std::string name;
};

/// Throws Error{config_invalid} when this process is root and there is neither.
ServerAccount server_account();

/// The name of the account of this process, or its number.
std::string own_account_name();

}  // namespace decant::store
