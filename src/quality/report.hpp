#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/json.hpp"
#include "quality/evaluation.hpp"

namespace decant::quality {

/// One line of the table that sets strategies side by side.
struct MetricRow {
    std::string name;   ///< "nDCG@10"
    std::string reads;  ///< what it says, in a sentence
    std::string key;    ///< in JSON: "ndcg"
    int decimals = 3;
    std::function<std::optional<double>(const Summary&)> value;
};

/// In the order of the table.
std::vector<MetricRow> metric_rows(const EvaluationOptions& options);

/// What cannot be measured, a sentence each: queries that nobody judged, products that are not in the catalog.
std::vector<std::string> remarks_of(const JudgedSet& set);

/// "per_query" only where it is wanted.
json::object json_of(const Evaluation& evaluation, bool per_query);

/// One page for a browser, which loads nothing from elsewhere and runs no script. `facts` stand at its top.
std::string html_of(const Evaluation& evaluation, const std::vector<std::pair<std::string, std::string>>& facts);

}  // namespace decant::quality
