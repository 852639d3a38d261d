#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <vector>

#include "tests/support/http_stand_in.hpp"

namespace decant::test {

/// One operation on a run, as a body brings it.
struct RunOperation {
    bool is_post = true;  ///< else patch
    boost::json::object run;
};

/// What a body brings, and what in it breaks the contract.
struct Ingested {
    std::vector<RunOperation> runs;
    std::vector<boost::json::object> feedback;
    std::vector<std::string> faults;
};

/// What a server of LangSmith says of itself.
struct LangSmithLimits {
    std::size_t runs = 100;
    std::size_t bytes = 20'971'520;
};

/// The body of POST /runs/multipart, uncompressed where its headers say so: names, headers and order of the parts,
/// sizes, and every run.
Ingested read_multipart(const StandInRequest& request, const LangSmithLimits& limits);

/// The body of POST /runs/batch.
Ingested read_batch(const StandInRequest& request, const LangSmithLimits& limits);

/// What is wrong with a run by itself: members, times, dotted order, tokens. A patch needs fewer members.
std::vector<std::string> faults_of(const RunOperation& operation);

/// What is wrong between a run and its parent.
std::vector<std::string> faults_between(const boost::json::object& parent, const boost::json::object& child);

/// What is wrong with a feedback.
std::vector<std::string> faults_of_feedback(const boost::json::object& feedback);

/// Microseconds of an ISO-8601 time in UTC; -1: it is none.
std::int64_t microseconds_of(const std::string& time);

}  // namespace decant::test
