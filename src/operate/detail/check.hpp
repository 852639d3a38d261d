#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "operate/detail/examination.hpp"

namespace decant::operate::detail {

/// One row of the table of checks.
struct Check {
    std::string_view id;
    std::string_view why;  ///< what is found matters, one sentence
    Finding (*look)(Examination& patient);
};

// Each theme has a file of its own, doctor_THEME.cpp.
std::span<const Check> server_checks() noexcept;
std::span<const Check> pgvector_checks() noexcept;
std::span<const Check> schema_checks() noexcept;
std::span<const Check> rights_checks() noexcept;
std::span<const Check> embedder_checks() noexcept;
std::span<const Check> index_checks() noexcept;
std::span<const Check> vectors_checks() noexcept;
std::span<const Check> model_checks() noexcept;
std::span<const Check> upkeep_checks() noexcept;
std::span<const Check> memory_checks() noexcept;
std::span<const Check> chroma_checks() noexcept;
std::span<const Check> settings_checks() noexcept;

inline Finding ok(std::string found) {
    return {.state = CheckState::ok, .found = std::move(found)};
}
inline Finding warning(std::string found, std::string remedy, std::optional<Mend> mend = {}) {
    return {
        .state = CheckState::warning, .found = std::move(found), .remedy = std::move(remedy), .mend = std::move(mend)};
}
inline Finding failure(std::string found, std::string remedy, std::optional<Mend> mend = {}) {
    return {
        .state = CheckState::failure, .found = std::move(found), .remedy = std::move(remedy), .mend = std::move(mend)};
}
inline Finding skipped(std::string reason, std::string remedy = {}) {
    return {.state = CheckState::skipped, .found = std::move(reason), .remedy = std::move(remedy)};
}

/// Runs one statement without a limit of time.
Mend statement(Examination& patient, bool is_safe, std::string what, std::string sql);

/// `decant schema up`. Migrations that make one of `objects` ("FUNCTION product_similarity") are applied also where
/// they are recorded as applied.
Mend schema_up(Examination& patient, std::vector<std::string> objects = {});

}  // namespace decant::operate::detail
