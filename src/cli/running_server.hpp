#pragma once

#include <optional>
#include <string>

#include "core/settings.hpp"

namespace decant::cli {

/// A `decant serve` of this project that other commands may ask: it says so in DECANT_HOME, in a file that only its
/// user may read.
struct RunningServer {
    std::string url;
    std::string token;  ///< lets in who can read the file
};

/// None where no server runs that said so.
std::optional<RunningServer> find_running_server(const Settings& settings);

/// Says it for as long as it lives. What cannot be written is a warning: others then do without.
class ServerNotice {
public:
    ServerNotice(const Settings& settings, const RunningServer& server);
    ServerNotice(const ServerNotice&) = delete;
    ServerNotice& operator=(const ServerNotice&) = delete;
    ~ServerNotice();

private:
    std::string path_;
    std::string content_;
};

}  // namespace decant::cli
