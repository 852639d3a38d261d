#include "api/jwt.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "tests/support/jwt_token.hpp"

namespace {

using decant::api::JwtClaims;

/// Whatever it is: refused, or claims that name somebody.
void check(std::string_view token) {
    for (const char* audience : {"", "decant"}) {
        const auto checked = decant::api::check_jwt(
            token, {.secret = std::string{decant::test::jwt_secret}, .audience = audience}, 1'800'000'000);
        const auto* claims = std::get_if<JwtClaims>(&checked);
        if (claims == nullptr) continue;
        const bool is_named = !claims->subject.empty() && claims->subject.size() <= 255 &&
                              std::ranges::none_of(claims->subject, [](char c) { return c >= 0 && c < ' '; });
        if (!is_named) std::abort();
    }
}

}  // namespace

// The bytes as a token, as the parts of a signed one, and as the header and the payload of a signed one.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text{reinterpret_cast<const char*>(data), size};
    check(text);
    check(decant::test::sign_parts(text));
    check(decant::test::make_token(decant::test::jwt_header, text));
    check(decant::test::make_token(text, R"({"sub":"ana","exp":1800000600})"));
    return 0;
}
