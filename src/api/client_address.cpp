#include "api/client_address.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ranges>

#include "core/error.hpp"
#include "core/split_list.hpp"
#include "core/utf8.hpp"

namespace decant::api {
namespace {

constexpr unsigned ipv4_offset = 96;

std::optional<AddressRange> parse_range(std::string_view text) {
    const std::size_t slash = text.find('/');
    const std::optional<Address> network = Address::parse(text.substr(0, slash));
    if (!network) return std::nullopt;
    const unsigned most = network->is_ipv4() ? 32 : 128;
    unsigned bits = most;
    if (slash != std::string_view::npos) {
        const std::string_view digits = text.substr(slash + 1);
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
        if (error != std::errc{} || end != digits.data() + digits.size() || bits > most) return std::nullopt;
    }
    return AddressRange{*network, network->is_ipv4() ? bits + ipv4_offset : bits};
}

/// Every element of every X-Forwarded-For, empty ones too.
std::vector<std::string_view> forwarded_for(const net::ServerRequest& request) {
    std::vector<std::string_view> all;
    for (const auto& [name, value] : request.headers) {
        if (name != "x-forwarded-for") continue;
        for (const auto part : std::views::split(std::string_view{value}, ',')) {
            std::string_view text{part.begin(), part.end()};
            text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
            all.push_back(text.substr(0, text.find_last_not_of(" \t") + 1));
        }
    }
    return all;
}

bool is_trusted(const Address& address, std::span<const AddressRange> trusted) {
    return std::ranges::any_of(trusted, [&](const AddressRange& range) { return range.contains(address); });
}

}  // namespace

std::optional<Address> Address::parse(std::string_view text) {
    const std::string numeric{text.substr(0, text.find(':') == std::string_view::npos ? text.size() : text.find('%'))};
    if (numeric.find('\0') != std::string::npos) return std::nullopt;
    Address address;
    if (inet_pton(AF_INET6, numeric.c_str(), address.bytes_.data()) == 1) return address;
    if (inet_pton(AF_INET, numeric.c_str(), address.bytes_.data() + 12) != 1) return std::nullopt;
    address.bytes_[10] = address.bytes_[11] = 0xFF;
    return address;
}

bool Address::is_ipv4() const noexcept {
    return std::ranges::all_of(bytes_.begin(), bytes_.begin() + 10, [](std::uint8_t byte) { return byte == 0; }) &&
           bytes_[10] == 0xFF && bytes_[11] == 0xFF;
}

bool Address::is_loopback() const noexcept {
    if (is_ipv4()) return bytes_[12] == 127;
    return std::ranges::all_of(bytes_.begin(), bytes_.end() - 1, [](std::uint8_t byte) { return byte == 0; }) &&
           bytes_[15] == 1;
}

std::string Address::text() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const bool is_four = is_ipv4();
    inet_ntop(is_four ? AF_INET : AF_INET6, bytes_.data() + (is_four ? 12 : 0), text.data(), text.size());
    return text.data();
}

std::string Address::limit_key() const {
    if (is_ipv4()) return text();
    Address network = *this;
    std::fill(network.bytes_.begin() + 8, network.bytes_.end(), std::uint8_t{0});
    return network.text() + "/64";
}

bool Address::is_in(const Address& network, unsigned bits) const noexcept {
    const std::size_t whole = bits / 8;
    if (!std::equal(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(whole), network.bytes_.begin()))
        return false;
    const unsigned rest = bits % 8;
    return rest == 0 || (bytes_[whole] ^ network.bytes_[whole]) >> (8 - rest) == 0;
}

bool AddressRange::contains(const Address& address) const noexcept {
    return address.is_ipv4() == network.is_ipv4() && address.is_in(network, bits);
}

std::vector<AddressRange> parse_ranges(std::string_view list, std::string_view setting) {
    std::vector<AddressRange> ranges;
    for (const std::string_view text : split_list(list)) {
        const std::optional<AddressRange> range = parse_range(text);
        if (!range) {
            throw Error{
                ErrorCode::config_invalid,
                fmt::format("{} has '{}', which is no range of addresses", setting, printable(text)),
                fmt::format("Set {} to addresses and ranges with commas, as in: 10.0.0.0/8, fd00::/8.", setting)};
        }
        ranges.push_back(*range);
    }
    return ranges;
}

std::string client_address(const net::ServerRequest& request, std::span<const AddressRange> trusted) {
    const std::optional<Address> peer = Address::parse(request.peer);
    if (!peer) return request.peer;
    std::optional<Address> client = peer;
    for (const std::string_view text : forwarded_for(request) | std::views::reverse) {
        if (!is_trusted(*client, trusted)) break;
        client = Address::parse(text);
        if (!client) return peer->text();
    }
    return client->text();
}

bool is_forwarded(const net::ServerRequest& request) {
    return std::ranges::any_of(request.headers, [](const auto& header) {
        const std::string& name = header.first;
        return name.starts_with("x-forwarded-") || name == "forwarded" || name == "x-real-ip" || name == "via";
    });
}

std::string host_name(std::string_view host) {
    std::string name;
    for (const char letter : host)
        name.push_back(letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32) : letter);
    const std::size_t end = name.starts_with('[') ? name.find(']') : name.find(':');
    if (name.starts_with('[') && end == std::string::npos) return {};
    const std::size_t colon = name.starts_with('[') ? end + 1 : std::min(end, name.size());
    const std::string_view port = std::string_view{name}.substr(colon);
    if (!port.empty() && (port[0] != ':' || port.find_first_not_of("0123456789", 1) != std::string_view::npos))
        return {};
    return name.starts_with('[') ? name.substr(1, end - 1) : name.substr(0, end);
}

}  // namespace decant::api
