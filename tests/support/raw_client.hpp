#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/http_server.hpp"

namespace decant::test {

struct RawAnswer {
    int status = 0;
    std::string head;  ///< status line and headers
    net::Headers headers;
    std::string body;  ///< without its chunks
};

/// A client that sends what no client should: one connection to 127.0.0.1 and bytes. Fails by std::runtime_error, after
/// 20 s of silence too.
class RawClient {
public:
    explicit RawClient(std::uint16_t port);
    RawClient(RawClient&& other) noexcept;
    RawClient& operator=(RawClient&&) = delete;
    ~RawClient();

    /// False once the peer has closed.
    bool send(std::string_view bytes);
    /// Sends no more, but reads.
    void half_close();
    /// Closes so that the peer gets an RST.
    void reset();

    /// The next answer; none at the connection's end. `is_for_head`: to HEAD, so without a body.
    std::optional<RawAnswer> read_answer(bool is_for_head = false);
    /// What came already or comes now, up to the connection's end or `most` bytes.
    std::string read(std::size_t most);
    std::string read_to_end();
    /// After the connection's end: whether it was an RST, which can take answers from other clients than this.
    bool was_reset() const noexcept { return was_reset_; }
    /// True when the peer closes within `span`; what it sends until then is dropped.
    bool is_closed_within(std::chrono::milliseconds span);

    /// Receives little at once, so that a peer which sends much has to wait. Before anything is sent.
    static RawClient with_small_window(std::uint16_t port);

private:
    RawClient(std::uint16_t port, int receive_bytes);
    bool fill();
    std::string take_line();
    std::string take(std::size_t bytes);

    int socket_;
    std::string input_;
    bool was_reset_ = false;
};

inline constexpr std::string_view get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// Of the answer to `get`; 0: there was none.
int status_of(RawClient& client);

}  // namespace decant::test
