#include "store/api_keys.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "core/base64.hpp"
#include "core/error.hpp"
#include "core/nearest.hpp"
#include "core/split_list.hpp"
#include "core/utf8.hpp"

namespace decant::store {
namespace {

constexpr std::string_view is_there_sql = "SELECT pg_catalog.to_regclass('decant.api_keys') IS NOT NULL";

// Of one name, or all.
constexpr std::string_view select_sql =
    "SELECT id, name, key_hash, pg_catalog.array_to_string(scopes, ','), "
    "pg_catalog.date_part('epoch', created_at)::bigint, pg_catalog.date_part('epoch', expires_at)::bigint, "
    "pg_catalog.date_part('epoch', revoked_at)::bigint, pg_catalog.date_part('epoch', last_used_at)::bigint "
    "FROM decant.api_keys WHERE $1::text IS NULL OR name = $1 ORDER BY id";

constexpr std::string_view insert_sql =
    "INSERT INTO decant.api_keys (name, key_hash, scopes, expires_at) "
    "VALUES ($1, $2::bytea, $3::text[], now() + pg_catalog.make_interval(days => $4::int)) ON CONFLICT (name) DO "
    "NOTHING";

constexpr std::string_view revoke_sql =
    "UPDATE decant.api_keys SET revoked_at = now() WHERE name = $1 AND revoked_at IS NULL";

// A key in use is written once a minute, not once a call.
constexpr std::string_view mark_used_sql =
    "UPDATE decant.api_keys SET last_used_at = now() WHERE id = ANY ($1::bigint[]) "
    "AND (last_used_at IS NULL OR last_used_at < now() - pg_catalog.make_interval(mins => 1))";

constexpr std::uint64_t most_days = 3650;

std::optional<std::int64_t> optional_time(const pg::Result& rows, int row, int column) {
    return rows.is_null(row, column) ? std::nullopt : std::optional{rows.integer(row, column)};
}

ApiKeyRow row_of(const pg::Result& rows, int row) {
    ApiKeyRow key{
        .id = rows.integer(row, 0), .name = std::string{rows.text(row, 1)}, .created_at = rows.integer(row, 4)};
    const std::string digest = rows.bytes(row, 2);
    if (digest.size() != key.key_hash.size()) {
        throw Error{ErrorCode::internal, fmt::format("The digest of key '{}' has {} bytes", key.name, digest.size()),
                    fmt::format("Revoke it: decant key revoke {}", key.name)};
    }
    std::memcpy(key.key_hash.data(), digest.data(), digest.size());
    for (const std::string_view scope : split_list(rows.text(row, 3)))
        key.scopes.emplace_back(scope);
    key.expires_at = optional_time(rows, row, 5);
    key.revoked_at = optional_time(rows, row, 6);
    key.last_used_at = optional_time(rows, row, 7);
    return key;
}

}  // namespace

std::string random_api_key() {
    std::array<char, 32> bytes{};
    if (getentropy(bytes.data(), bytes.size()) != 0) {
        throw Error{ErrorCode::internal, "The system gives no random bytes", "Look at what getrandom(2) says."};
    }
    return std::string{api_key_prefix} + base64url({bytes.data(), bytes.size()});
}

namespace {

void check(const NewApiKey& wanted) {
    constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    if (wanted.name.empty() || wanted.name.size() > 64 || wanted.name.find_first_not_of(allowed) != std::string::npos) {
        throw Error{ErrorCode::request_invalid, fmt::format("'{}' is no name of a key", printable(wanted.name)),
                    "Give 1 to 64 letters, digits, points, hyphens and underscores."};
    }
    if (wanted.days && (*wanted.days == 0 || *wanted.days > most_days)) {
        throw Error{ErrorCode::request_invalid, fmt::format("A key cannot expire in {} days", *wanted.days),
                    fmt::format("Give 1 to {}, or leave it out for a key that does not.", most_days)};
    }
}

}  // namespace

bool ApiKeys::is_there() {
    return db_.exec(is_there_sql).boolean(0, 0);
}

void ApiKeys::require() {
    if (is_there()) return;
    throw Error{ErrorCode::not_found, fmt::format("There is no table decant.api_keys in database '{}'", db_.database()),
                "Make it with `decant schema up`."};
}

ApiKeys::Created ApiKeys::create(const NewApiKey& wanted) {
    check(wanted);
    require();
    Created created{.key = random_api_key(), .row = {}};
    const Digest digest = sha256(created.key);
    const pg::Result inserted =
        db_.query(insert_sql, {wanted.name, pg::bytea({reinterpret_cast<const char*>(digest.data()), digest.size()}),
                               pg::array_literal(wanted.scopes),
                               wanted.days ? pg::Param{std::to_string(*wanted.days)} : std::nullopt});
    if (inserted.affected() == 0) {
        throw Error{ErrorCode::conflict, fmt::format("There is a key '{}' already", wanted.name),
                    "Choose another name: that of a revoked key is not given again. See them with `decant key list`."};
    }
    created.row = row_of(db_.query(select_sql, {wanted.name}), 0);
    return created;
}

std::vector<ApiKeyRow> ApiKeys::list() {
    std::vector<ApiKeyRow> keys;
    if (!is_there()) return keys;
    const pg::Result rows = db_.query(select_sql, {std::nullopt});
    for (int row = 0; row < rows.rows(); ++row)
        keys.push_back(row_of(rows, row));
    return keys;
}

ApiKeyRow ApiKeys::revoke(const std::string& name) {
    require();
    db_.query(revoke_sql, {name});
    const pg::Result found = db_.query(select_sql, {name});
    if (!found.empty()) return row_of(found, 0);
    std::vector<std::string> names;
    for (const ApiKeyRow& key : list())
        names.push_back(key.name);
    const auto meant = nearest(name, names);
    throw Error{ErrorCode::not_found, fmt::format("There is no key '{}'", printable(name)),
                meant ? fmt::format("Did you mean '{}'?", *meant) : "See them with `decant key list`."};
}

void ApiKeys::mark_used(std::span<const std::int64_t> ids) {
    if (ids.empty()) return;
    std::vector<std::string> texts;
    for (const std::int64_t id : ids)
        texts.push_back(std::to_string(id));
    db_.query(mark_used_sql, {pg::array_literal(texts)});
}

}  // namespace decant::store
