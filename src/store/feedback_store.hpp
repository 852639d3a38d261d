#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/enum_names.hpp"
#include "pg/connection.hpp"

namespace decant::store {

/// What somebody thought of one answer, or chose from it.
struct Feedback {
    enum class Subject { run, message };

    Subject subject = Subject::run;
    std::string subject_id;            ///< of the run or the message
    std::string caller;                ///< the credential's name, or the address
    std::optional<double> score = {};  ///< 0 bad to 1 good; none: a product was chosen and nothing said
    std::optional<std::string> comment = {};
    std::optional<std::string> product = {};  ///< id of one that was chosen; those of before stay
};
inline constexpr EnumNames<Feedback::Subject, 2> feedback_subject_names{{"run", "message"}};

struct StoredFeedback {
    std::int64_t id = 0;
    bool is_new = true;  ///< false: it took the place of what the caller said of the same answer before
};

/// Without a score what was said before stays. Each product that was chosen is a row of decant.choices.
StoredFeedback store_feedback(pg::Connection& db, const Feedback& feedback);

/// Removes feedback and choices that are older than `days`, but for those since the start of an experiment that runs.
/// Returns how much feedback it was.
std::uint64_t prune_feedback(pg::Connection& db, int days);

}  // namespace decant::store
