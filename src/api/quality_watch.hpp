#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "quality/monitor.hpp"

namespace decant::api {

struct QualityWatchSetup {
    std::string conninfo;
    std::function<quality::QualitySubject()> subject;  ///< of the model in use
    std::chrono::minutes probe_interval{60};           ///< of the index's recall; 0: never
    std::chrono::milliseconds interval = std::chrono::seconds{30};
};

/// Reads how good the last hour's searches were, and probes the index, from a thread of its own over a connection of
/// its own. Nothing while the database is away or has no such tables. Any thread.
class QualityWatch {
public:
    explicit QualityWatch(QualityWatchSetup setup);

    std::optional<quality::QualityReport> report() const;

private:
    void run(const std::stop_token& stop);
    void look(const std::stop_token& stop);
    void read(const quality::QualitySubject& subject);
    bool is_probe_due();
    bool probe(const quality::QualitySubject& subject, const std::stop_token& stop);

    const QualityWatchSetup setup_;
    mutable std::mutex mutex_;
    std::optional<quality::QualityReport> report_;
    std::optional<pg::Connection> db_;  ///< of the thread
    std::chrono::steady_clock::time_point next_probe_;
    std::jthread thread_;  ///< last: it uses the others
};

}  // namespace decant::api
