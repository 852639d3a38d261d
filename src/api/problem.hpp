#pragma once

#include <string>
#include <string_view>

#include "core/error.hpp"
#include "net/http_server.hpp"

namespace decant::api {

/// Where OpenAI's API is stood in for: errors have its shape there.
inline constexpr std::string_view openai_prefix = "/v1/";

/// An error as its caller gets it: application/problem+json (RFC 9457). Of what went wrong on this side of the API only
/// a general sentence is told; the log has the rest.
net::ServerResponse problem_of(const Error& error, std::string_view path, std::string_view request_id);

/// The same of what the HTTP server refuses by itself.
net::ServerResponse problem_of(const net::Refusal& refusal);

/// 405, naming what is allowed.
net::ServerResponse method_not_allowed(std::string_view allowed, std::string_view path, std::string_view request_id);

/// What a caller may know of an error: of faults of this side neither SQL nor hosts nor paths.
std::string public_detail(const Error& error);

/// Now, as "2026-11-28T10:00:00.123Z".
std::string timestamp();

}  // namespace decant::api
