#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "net/http_head.hpp"
#include "net/http_server.hpp"

namespace decant::net {

/// One request out of bytes: Beast's parser, given only heads that check_head() passed. Trailers are dropped. One
/// thread at a time.
class RequestReader {
public:
    explicit RequestReader(std::size_t most_body_bytes);
    RequestReader(const RequestReader&) = delete;
    RequestReader& operator=(const RequestReader&) = delete;
    ~RequestReader();

    /// `head` whole, with its empty line.
    void put_head(std::string_view head);
    /// How many of `bytes` are used up; the rest is to be given again, with more behind it.
    std::size_t put_body(std::string_view bytes);

    bool is_done() const;
    /// Once there is one nothing more may be put.
    const std::optional<Refusal>& refusal() const noexcept;

    bool is_http_1_0() const;
    bool keeps_alive() const noexcept;
    bool expects_continue() const noexcept;
    /// What was read so far; its peer and times are not set.
    ServerRequest take();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace decant::net
