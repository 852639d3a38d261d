#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

/// core/: what every folder needs and no domain word: errors, settings, logging, digests, queues, failpoints.
namespace decant {

enum class ErrorCode {
    request_malformed,
    request_invalid,
    unauthenticated,
    forbidden,
    permission_denied,
    not_found,
    conflict,
    busy,
    rate_limited,
    too_large,
    unsupported_media_type,
    config_invalid,
    source_unreadable,
    source_changed,
    source_unavailable,
    dimension_mismatch,
    embedder_unavailable,
    store_unavailable,
    store_rejected,
    store_full,
    commit_in_doubt,
    overloaded,
    timed_out,
    cancelled,
    internal,
};

/// What a code means to the outside. One row a code; nothing else maps codes.
struct ErrorTraits {
    ErrorCode code;
    std::string_view name;
    int exit_code;
    int http_status;  ///< 0: never reaches HTTP
    bool is_retryable;
};

const ErrorTraits& traits_of(ErrorCode code) noexcept;

/// The one exception type. `happened` says what happened and to which object with its values; `remedy` what to do.
class Error : public std::runtime_error {
public:
    Error(ErrorCode code, std::string happened, std::string remedy);

    ErrorCode code() const noexcept { return code_; }
    const std::string& happened() const noexcept { return happened_; }
    const std::string& remedy() const noexcept { return remedy_; }
    int exit_code() const noexcept { return traits_of(code_).exit_code; }
    bool is_retryable() const noexcept { return traits_of(code_).is_retryable; }

private:
    ErrorCode code_;
    std::string happened_;
    std::string remedy_;
};

}  // namespace decant
