#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/sha256.hpp"
#include "pg/connection.hpp"

namespace decant::store {

inline constexpr std::string_view api_key_prefix = "dk_";

/// A row of decant.api_keys; times are seconds since the epoch.
struct ApiKeyRow {
    std::int64_t id = 0;
    std::string name;
    Digest key_hash{};  ///< SHA-256 of the whole key
    std::vector<std::string> scopes;
    std::int64_t created_at = 0;
    std::optional<std::int64_t> expires_at = {};
    std::optional<std::int64_t> revoked_at = {};
    std::optional<std::int64_t> last_used_at = {};  ///< to a minute
};

/// One that is in no table: 32 random bytes of the system. Throws Error{internal} where it gives none.
std::string random_api_key();

struct NewApiKey {
    std::string name;  ///< 1 to 64 letters, digits, points, hyphens and underscores
    std::vector<std::string> scopes;
    std::optional<std::uint64_t> days = {};  ///< until it expires
};

/// Keys of the HTTP API: api_key_prefix and 43 characters of base64url, 32 random bytes of the system. Only digests are
/// kept, so a key is known when it is made and never again.
class ApiKeys {
public:
    explicit ApiKeys(pg::Connection& db) noexcept : db_(db) {}

    struct Created {
        std::string key;
        ApiKeyRow row;
    };
    /// Throws Error{request_invalid} for a name that is none, Error{conflict} where there is or was a key of that name,
    /// Error{not_found} where migration 005 was not applied.
    Created create(const NewApiKey& wanted);
    /// In the order of their making, revoked and expired ones too; none where migration 005 was not applied.
    std::vector<ApiKeyRow> list();
    /// One that was revoked before stays so. Throws Error{not_found} naming the nearest.
    ApiKeyRow revoke(const std::string& name);
    void mark_used(std::span<const std::int64_t> ids);

private:
    bool is_there();
    void require();

    pg::Connection& db_;
};

}  // namespace decant::store
