#pragma once

#include <map>
#include <string>
#include <vector>

#include "trace/sink.hpp"

namespace decant::trace::detail {

/// What of the runs LangSmith gets, and under which name.
struct LangSmithForm {
    std::string project;
    std::string version;  ///< of decant
    bool hides_inputs = false;
    bool hides_outputs = false;
    bool hides_metadata = false;
    std::string session_id = {};                       ///< of an experiment, in the place of a project
    std::map<std::string, std::string> examples = {};  ///< of it: which one a run answers, by the run's id
};

struct Multipart {
    std::string body;
    std::string boundary;
    std::size_t content_bytes = 0;  ///< of its parts, without their headers
};

/// The body of POST /runs/multipart: for each run a part post.ID and one for each of its large members.
Multipart multipart_of(const Runs& runs, const LangSmithForm& form);

/// The same of feedback: for each a part feedback.ID.
Multipart multipart_of(const std::vector<json::object>& feedback);

/// The body of POST /runs/batch.
std::string batch_of(const Runs& runs, const LangSmithForm& form);

}  // namespace decant::trace::detail
