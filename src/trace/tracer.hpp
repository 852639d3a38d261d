#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/settings.hpp"
#include "trace/feedback_sender.hpp"
#include "trace/run.hpp"
#include "trace/sink_worker.hpp"

namespace decant::trace {

struct TracerSetup {
    std::vector<std::unique_ptr<Sink>> all = {};      ///< get every trace
    std::vector<std::unique_ptr<Sink>> sampled = {};  ///< get those that are sampled
    double sampling_rate = 1;
    SinkSetup sinks = {};  ///< of each; its `spool` is the folder of their folders
    std::unique_ptr<FeedbackSender> feedback = {};
};

/// PostgreSQL always; LangSmith and OpenTelemetry as the settings say. `conninfo` is the database's.
/// Throws Error{config_invalid}, Error{request_invalid} for settings that cannot be meant so.
TracerSetup tracer_setup(const Settings& settings, const std::string& conninfo, const std::string& version);

/// Takes what requests tell and brings it to the sinks. Any thread.
class Tracer {
public:
    explicit Tracer(TracerSetup setup);
    Tracer(const Tracer&) = delete;
    Tracer& operator=(const Tracer&) = delete;
    /// Within two seconds, whatever the sinks do.
    ~Tracer();

    /// Takes a lock for the time of one move, and no more. Over the bounds the oldest are dropped.
    void record(Trace trace);

    /// There is feedback in the database that nobody was told yet.
    void feedback_came();

    std::vector<SinkCounts> counts() const;

private:
    void run();

    const double sampling_rate_;
    const std::size_t most_runs_;
    std::vector<std::unique_ptr<SinkWorker>> all_;
    std::vector<std::unique_ptr<SinkWorker>> sampled_;
    std::unique_ptr<FeedbackSender> feedback_;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Trace> told_;
    std::size_t told_runs_ = 0;
    std::uint64_t dropped_ = 0;
    bool is_ending_ = false;
    std::thread thread_;  ///< last: it uses the others
};

}  // namespace decant::trace
