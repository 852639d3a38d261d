#pragma once

#include <optional>
#include <string>

#include "core/enum_names.hpp"
#include "pg/connection.hpp"

namespace decant::store {

/// What somebody thought of one answer.
struct Feedback {
    enum class Subject { run, message };

    Subject subject = Subject::run;
    std::string subject_id;  ///< of the run or the message
    std::string caller;      ///< the credential's name, or the address
    double score = 0;        ///< 0 bad to 1 good
    std::optional<std::string> comment = {};
};
inline constexpr EnumNames<Feedback::Subject, 2> feedback_subject_names{{"run", "message"}};

struct StoredFeedback {
    std::int64_t id = 0;
    bool is_new = true;  ///< false: it took the place of what the caller said of the same answer before
};

StoredFeedback store_feedback(pg::Connection& db, const Feedback& feedback);

}  // namespace decant::store
