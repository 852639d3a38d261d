#include "net/detail/request_reader.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <algorithm>

namespace decant::net {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;

/// Of all chunks together: they mean nothing to anybody.
constexpr std::size_t most_extension_bytes = 4096;

/// A chunk's size line, or the trailers, while their end has not come.
constexpr std::size_t most_line_bytes = 16 * 1024;

Refusal refusal_for(const error_code& code) {
    if (code == http::error::body_limit) return {413, "The request's body is too large."};
    return {400, "The request is malformed: " + code.message() + "."};
}

std::string lower_case(std::string_view text) {
    std::string lowered{text};
    std::ranges::transform(lowered, lowered.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return lowered;
}

}  // namespace

struct RequestReader::State {
    explicit State(std::size_t most_body_bytes) {
        parser.body_limit(most_body_bytes);
        parser.header_limit(static_cast<std::uint32_t>(most_line_bytes) * 64);  // check_head() has the real one
        parser.on_chunk_header(count_extensions);
    }

    std::size_t put(std::string_view bytes) {
        error_code code;
        const std::size_t used = parser.put(boost::asio::buffer(bytes.data(), bytes.size()), code);
        if (code == http::error::need_more) {
            if (bytes.size() - used > most_line_bytes) refusal = Refusal{400, "A chunk's size line does not end."};
        } else if (code) {
            refusal = refusal_for(code);
        }
        return used;
    }

    std::size_t extension_bytes = 0;
    std::function<void(std::uint64_t, boost::beast::string_view, error_code&)> count_extensions =
        [this](std::uint64_t, boost::beast::string_view extensions, error_code& code) {
            extension_bytes += extensions.size();
            if (extension_bytes > most_extension_bytes) code = http::error::bad_chunk_extension;
        };
    http::request_parser<http::string_body> parser;
    std::optional<Refusal> refusal;
    Headers headers;
    bool keeps_alive = false;
    bool expects_continue = false;
};

RequestReader::RequestReader(std::size_t most_body_bytes) : state_(std::make_unique<State>(most_body_bytes)) {}
RequestReader::~RequestReader() = default;

void RequestReader::put_head(std::string_view head) {
    const std::size_t used = state_->put(head);
    if (state_->refusal) return;
    if (used != head.size() || !state_->parser.is_header_done()) {
        state_->refusal = Refusal{400, "The request's head is malformed."};
        return;
    }
    // Now, because trailers would be added to them.
    for (const auto& field : state_->parser.get())
        state_->headers.emplace_back(lower_case(field.name_string()), field.value());
    state_->keeps_alive = state_->parser.keep_alive();
    state_->expects_continue = !header(state_->headers, "expect").empty();
    state_->parser.eager(true);
}

std::size_t RequestReader::put_body(std::string_view bytes) {
    // Less than the shortest end of chunks, "0\r\n\r\n", and an assertion of Beast's (1.81) about it would fail.
    if (state_->parser.chunked() && bytes.size() < 5) return 0;
    return state_->put(bytes);
}

bool RequestReader::is_done() const {
    return state_->parser.is_done();
}

const std::optional<Refusal>& RequestReader::refusal() const noexcept {
    return state_->refusal;
}

bool RequestReader::is_http_1_0() const {
    return state_->parser.get().version() == 10;
}

bool RequestReader::keeps_alive() const noexcept {
    return state_->keeps_alive;
}

bool RequestReader::expects_continue() const noexcept {
    return state_->expects_continue;
}

ServerRequest RequestReader::take() {
    auto& message = state_->parser.get();
    return {.method = std::string{message.method_string()},
            .target = std::string{message.target()},
            .headers = std::move(state_->headers),
            .body = std::move(message.body())};
}

}  // namespace decant::net
