#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "trace/langsmith.hpp"
#include "trace/run.hpp"

namespace decant::trace {

/// One question of a dataset of LangSmith.
struct Example {
    std::string key;  ///< by which its dataset knows it again
    json::object inputs;
    json::object outputs;  ///< what would be right
    json::object metadata = {};
    std::string split = {};  ///< empty: LangSmith's own
};

/// What was answered to one example.
struct ExampleRun {
    Span span;
    std::vector<std::pair<std::string, double>> scores = {};  ///< by name
};

struct OfflineExperiment {
    std::string name;  ///< in LangSmith a suffix follows, because each name is there once
    json::object metadata = {};
    std::vector<ExampleRun> runs;  ///< one an example
};

/// Several answers to the same questions, for LangSmith to show side by side.
struct Comparison {
    std::string dataset;
    std::string description;  ///< of a dataset that is new
    std::vector<Example> examples;
    std::vector<OfflineExperiment> experiments;
};

struct UploadedComparison {
    std::string dataset_id;
    bool is_new_dataset = false;
    std::size_t new_examples = 0;
    std::size_t changed_examples = 0;
    std::vector<std::string> experiments = {};  ///< their names in LangSmith
};

/// Told how many of how many examples, runs and scores are there.
using UploadProgress = std::function<void(std::size_t done, std::size_t total)>;

/// Makes the dataset where there is none of its name, brings its examples up to date (they have ids by its id and
/// their keys; what it has besides stays), and makes an experiment of each of `experiments`, with a run and its scores
/// as feedback for each example. What fails for a moment is tried three times, and Retry-After kept to, up to a minute.
/// Throws Error: source_unavailable, timed_out, rate_limited, forbidden, request_invalid, cancelled after a signal.
UploadedComparison upload(const Comparison& comparison, const LangSmithSetup& setup, const UploadProgress& progress);

}  // namespace decant::trace
