#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace decant {

using Digest = std::array<std::byte, 32>;

/// Incremental SHA-256 (FIPS 180-4). One thread at a time; movable.
class Sha256 {
public:
    Sha256();

    void update(std::span<const std::byte> bytes);
    void update(std::string_view bytes) { update(std::as_bytes(std::span{bytes})); }

    /// The digest of everything since the start or the last finish(); the next update starts anew.
    Digest finish();

private:
    std::unique_ptr<evp_md_ctx_st, void (*)(evp_md_ctx_st*)> context_;
};

Digest sha256(std::string_view bytes);

/// RFC 2104, of SHA-256.
Digest hmac_sha256(std::string_view key, std::string_view bytes);

/// Takes as long for digests that differ as for equal ones.
bool is_same_secret(const Digest& left, const Digest& right) noexcept;

/// Lower-case hexadecimal digits.
std::string hex(std::span<const std::byte> bytes);

}  // namespace decant
