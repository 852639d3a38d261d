#pragma once

#include <chrono>
#include <cstddef>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "trace/run.hpp"

namespace decant::trace {

/// Parents before their children.
using Runs = std::vector<const Run*>;

enum class Outcome {
    delivered,  ///< also what was there already
    later,      ///< it may be taken another time
    refused,    ///< some or all will never be taken
    forbidden,  ///< nothing ever will, until settings are changed
};

struct Delivery {
    Outcome outcome = Outcome::delivered;
    std::string reason = {};            ///< for the log, without secrets
    std::chrono::milliseconds wait{0};  ///< that was asked for before another try
    int status = 0;                     ///< of HTTP, where there was an answer
    std::size_t refused_runs = 0;       ///< of refused; the others were delivered
};

struct BatchLimits {
    std::size_t runs = 100;
    std::size_t bytes = 20UL << 20U;
};

/// One place that runs are sent to. One thread at a time.
class Sink {
public:
    virtual ~Sink() = default;
    /// Shows in messages and metrics: "langsmith".
    virtual std::string_view name() const noexcept = 0;
    /// Of one delivery as the sink likes it best; more come where they waited on the disk.
    virtual BatchLimits limits() const noexcept = 0;
    /// Gets runs again where it is not known what became of them before: by their ids they are taken once. Never
    /// throws decant::Error. Ends soon after `stop`.
    virtual Delivery deliver(const Runs& runs, const std::stop_token& stop) = 0;
};

}  // namespace decant::trace
