#include "net/retry_after.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace decant::net {

std::optional<std::chrono::milliseconds> retry_after(std::string_view value) {
    constexpr int most_seconds = 10'000'000;
    int seconds = 0;
    const auto [end, fault] = std::from_chars(value.data(), value.data() + value.size(), seconds);
    if (fault == std::errc{} && end == value.data() + value.size() && seconds >= 0)
        return std::chrono::seconds{std::min(seconds, most_seconds)};
    const std::time_t date = curl_getdate(std::string{value}.c_str(), nullptr);
    if (date < 0) return std::nullopt;
    const auto span = std::chrono::system_clock::from_time_t(date) - std::chrono::system_clock::now();
    return std::max(std::chrono::ceil<std::chrono::milliseconds>(span), std::chrono::milliseconds{0});
}

}  // namespace decant::net
