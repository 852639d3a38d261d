#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace decant::trace::detail {

/// Writes one message in Protocol Buffers' wire format (protobuf.dev, "Encoding"). What is empty or 0 is left out, as
/// proto3 has it, but by the functions that say otherwise.
class Message {
public:
    void add_bytes(std::uint32_t field, std::string_view bytes) {
        if (!bytes.empty()) put_bytes(field, bytes);
    }
    /// Also an empty one.
    void add_message(std::uint32_t field, const Message& message) { put_bytes(field, message.bytes_); }
    void add_number(std::uint32_t field, std::uint64_t number) {
        if (number != 0) put_number(field, number);
    }
    void add_fixed64(std::uint32_t field, std::uint64_t number) {
        put_varint(field << 3U | fixed64);
        for (unsigned shift = 0; shift < 64; shift += 8)
            bytes_ += static_cast<char>(number >> shift & 0xffU);
    }
    void add_double(std::uint32_t field, double number) { add_fixed64(field, std::bit_cast<std::uint64_t>(number)); }

    /// Members of a oneof: they say which one is set, so also what is empty or 0 is written.
    void set_bytes(std::uint32_t field, std::string_view bytes) { put_bytes(field, bytes); }
    void set_number(std::uint32_t field, std::uint64_t number) { put_number(field, number); }

    const std::string& bytes() const noexcept { return bytes_; }

private:
    enum WireType : std::uint32_t { varint = 0, fixed64 = 1, length_delimited = 2 };

    void put_varint(std::uint64_t number) {
        for (; number >= 0x80U; number >>= 7U)
            bytes_ += static_cast<char>(number | 0x80U);
        bytes_ += static_cast<char>(number);
    }
    void put_number(std::uint32_t field, std::uint64_t number) {
        put_varint(field << 3U | varint);
        put_varint(number);
    }
    void put_bytes(std::uint32_t field, std::string_view bytes) {
        put_varint(field << 3U | length_delimited);
        put_varint(bytes.size());
        bytes_ += bytes;
    }

    std::string bytes_;
};

}  // namespace decant::trace::detail
