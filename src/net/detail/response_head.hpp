#pragma once

#include <string>

#include "net/http_server.hpp"

namespace decant::net {

/// What the request and its connection ask of the answer's framing.
struct AnswerForm {
    bool is_http_1_0 = false;
    bool is_for_head = false;  ///< of the method HEAD: the head of what GET would answer
    bool keeps_alive = true;
    bool is_stream = false;
    bool has_body = true;  ///< its bytes are sent

    bool is_chunked() const noexcept { return is_stream && !is_http_1_0; }
};

/// True when the head can be sent: a status of an answer, headers that are no others in disguise and are not the
/// server's own.
bool is_sendable(const ServerResponse& response);

/// 204 and 304 have no body.
bool has_body(const ServerResponse& response) noexcept;

/// Status line and headers, with Date, Content-Length or Transfer-Encoding, and Connection.
std::string response_head(const ServerResponse& response, const AnswerForm& form);

/// `bytes` as one chunk; not empty, for an empty chunk ends the body.
std::string chunk_of(std::string_view bytes);

}  // namespace decant::net
