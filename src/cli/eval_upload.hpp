#pragma once

#include <string>

#include "core/json.hpp"
#include "core/settings.hpp"
#include "quality/evaluation.hpp"
#include "trace/comparison.hpp"

namespace decant::cli {

/// Throws Error{config_invalid}: no key, or questions are to stay at home.
trace::LangSmithSetup upload_setup(const Settings& settings);

/// What an evaluation is called in LangSmith.
struct EvaluationNames {
    std::string dataset;
    std::string queries;     ///< the file
    std::string model = {};  ///< empty: nothing was embedded
};

/// A query is an example, a strategy an experiment; its scores are those that the metrics are means of.
trace::Comparison comparison_of(const quality::Evaluation& evaluation, const EvaluationNames& names);

/// trace::upload with a meter.
trace::UploadedComparison upload_with_meter(const trace::Comparison& comparison, const trace::LangSmithSetup& setup);

/// The file's name without its end, behind "decant ".
std::string dataset_of(const std::string& queries_file);

json::object json_of(const trace::UploadedComparison& uploaded, const std::string& dataset);
std::string text_of(const trace::UploadedComparison& uploaded, const std::string& dataset);

}  // namespace decant::cli
