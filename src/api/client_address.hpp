#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/http_server.hpp"

namespace decant::api {

/// A numeric address of IPv4 or IPv6. ::ffff:1.2.3.4 is 1.2.3.4.
class Address {
public:
    /// No name, no port, no brackets, no blanks; a zone (%eth0) is left out.
    static std::optional<Address> parse(std::string_view text);

    bool is_ipv4() const noexcept;
    bool is_loopback() const noexcept;
    std::string text() const;
    /// What limits count by: the address; of IPv6 its first 64 bits, as one customer has them all.
    std::string limit_key() const;
    /// Whether the first `bits` of both are the same; of IPv4 addresses 96 more than their own.
    bool is_in(const Address& network, unsigned bits) const noexcept;

private:
    std::array<std::uint8_t, 16> bytes_{};
};

/// Addresses with the same first bits (RFC 4632: 10.0.0.0/8, fd00::/8).
struct AddressRange {
    Address network;
    unsigned bits;  ///< of the 128

    bool contains(const Address& address) const noexcept;
};

/// Of a list with commas; a single address is a range too. Throws Error{config_invalid} naming `setting`.
std::vector<AddressRange> parse_ranges(std::string_view list, std::string_view setting);

/// Who sent the request: the peer, or, where that is one of `trusted`, the last address of X-Forwarded-For that is not:
/// what stands before it anybody may have written. The peer too where an address that counts is none.
std::string client_address(const net::ServerRequest& request, std::span<const AddressRange> trusted);

/// Whether a proxy has passed the request on, by its headers.
bool is_forwarded(const net::ServerRequest& request);

/// The name or address of a Host header without port and brackets, in lower case; empty where it is neither.
std::string host_name(std::string_view host);

}  // namespace decant::api
