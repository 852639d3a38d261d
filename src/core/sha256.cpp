#include "core/sha256.hpp"

#include <bit>
#include <climits>
#include <new>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "core/error.hpp"

namespace decant {
namespace {

void require(int result) {
    if (result != 1) {
        throw Error{ErrorCode::internal, "OpenSSL refused SHA-256", "check the OpenSSL configuration of this machine"};
    }
}

}  // namespace

Sha256::Sha256() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    if (!context_) throw std::bad_alloc{};
    require(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr));
}

void Sha256::update(std::span<const std::byte> bytes) {
    require(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()));
}

Digest Sha256::finish() {
    std::array<unsigned char, 32> digest{};
    unsigned int length = 0;
    require(EVP_DigestFinal_ex(context_.get(), digest.data(), &length));
    require(EVP_DigestInit_ex(context_.get(), nullptr, nullptr));
    return std::bit_cast<Digest>(digest);
}

Digest sha256(std::string_view bytes) {
    // finish() leaves it ready for the next: setting one up takes as long as hashing half a row.
    thread_local Sha256 hash;
    hash.update(bytes);
    return hash.finish();
}

Digest hmac_sha256(std::string_view key, std::string_view bytes) {
    if (key.size() > std::size_t{INT_MAX}) require(0);
    std::array<unsigned char, 32> digest{};
    unsigned int length = 0;
    const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
    const unsigned char* made =
        HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), data, bytes.size(), digest.data(), &length);
    require(made != nullptr && length == digest.size() ? 1 : 0);
    return std::bit_cast<Digest>(digest);
}

bool is_same_secret(const Digest& left, const Digest& right) noexcept {
    return CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

std::string hex(std::span<const std::byte> bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const std::byte byte : bytes) {
        text += digits[std::to_integer<std::size_t>(byte >> 4)];
        text += digits[std::to_integer<std::size_t>(byte & std::byte{0x0F})];
    }
    return text;
}

}  // namespace decant
