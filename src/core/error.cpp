#include "core/error.hpp"

#include <array>
#include <utility>

namespace decant {
namespace {

constexpr std::array error_table{
    ErrorTraits{ErrorCode::request_malformed, "request_malformed", 2, 400, false},
    ErrorTraits{ErrorCode::request_invalid, "request_invalid", 2, 422, false},
    ErrorTraits{ErrorCode::unauthenticated, "unauthenticated", 77, 401, false},
    ErrorTraits{ErrorCode::forbidden, "forbidden", 77, 403, false},
    ErrorTraits{ErrorCode::permission_denied, "permission_denied", 77, 503, false},
    ErrorTraits{ErrorCode::not_found, "not_found", 65, 404, false},
    ErrorTraits{ErrorCode::conflict, "conflict", 75, 409, false},
    ErrorTraits{ErrorCode::busy, "busy", 75, 409, false},
    ErrorTraits{ErrorCode::rate_limited, "rate_limited", 75, 429, false},
    ErrorTraits{ErrorCode::too_large, "too_large", 65, 413, false},
    ErrorTraits{ErrorCode::unsupported_media_type, "unsupported_media_type", 2, 415, false},
    ErrorTraits{ErrorCode::config_invalid, "config_invalid", 78, 500, false},
    ErrorTraits{ErrorCode::source_unreadable, "source_unreadable", 65, 502, false},
    ErrorTraits{ErrorCode::source_changed, "source_changed", 75, 503, true},
    ErrorTraits{ErrorCode::source_unavailable, "source_unavailable", 69, 503, true},
    ErrorTraits{ErrorCode::dimension_mismatch, "dimension_mismatch", 65, 409, false},
    ErrorTraits{ErrorCode::embedder_unavailable, "embedder_unavailable", 69, 503, true},
    ErrorTraits{ErrorCode::store_unavailable, "store_unavailable", 69, 503, true},
    ErrorTraits{ErrorCode::store_rejected, "store_rejected", 65, 422, false},
    ErrorTraits{ErrorCode::store_full, "store_full", 74, 503, false},
    ErrorTraits{ErrorCode::commit_in_doubt, "commit_in_doubt", 75, 503, true},
    ErrorTraits{ErrorCode::overloaded, "overloaded", 75, 503, true},
    ErrorTraits{ErrorCode::timed_out, "timed_out", 75, 503, true},
    ErrorTraits{ErrorCode::cancelled, "cancelled", 130, 0, false},
    ErrorTraits{ErrorCode::internal, "internal", 70, 500, false},
};

}  // namespace

const ErrorTraits& traits_of(ErrorCode code) noexcept {
    static_assert(error_table.back().code == ErrorCode::internal);
    return error_table[static_cast<std::size_t>(code)];
}

Error::Error(ErrorCode code, std::string happened, std::string remedy)
    : std::runtime_error(happened), code_(code), happened_(std::move(happened)), remedy_(std::move(remedy)) {}

}  // namespace decant
