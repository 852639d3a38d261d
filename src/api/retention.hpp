#pragma once

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "core/settings.hpp"
#include "store/retained.hpp"

namespace decant::api {

using store::Retained;

/// All that the settings say is kept for a time.
std::vector<Retained> retained_by(const Settings& settings);

/// Removes what is too old at the start and every hour, from a thread of its own over a connection that is open only
/// meanwhile. What fails is told in the log and tried again with the next round.
class Retention {
public:
    Retention(std::string conninfo, std::vector<Retained> retained,
              std::chrono::milliseconds interval = std::chrono::hours{1});

private:
    void run(const std::stop_token& stop) const;
    void prune_all(const std::stop_token& stop) const;

    std::string conninfo_;
    std::vector<Retained> retained_;
    std::chrono::milliseconds interval_;
    std::jthread thread_;  ///< last: it uses the others
};

}  // namespace decant::api
