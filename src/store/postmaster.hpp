#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>

#include "core/child_process.hpp"

namespace decant::store {

/// The running server of one data folder, as its postmaster.pid tells.
struct Postmaster {
    pid_t pid = 0;
    int port = 0;                         ///< 0 until the server has written it
    std::filesystem::path socket_folder;  ///< empty until then
    bool is_ready = false;                ///< false while it starts, recovers or stops
};

/// None when no process of this data folder runs: postmaster.pid may be stale and its number another program's by now.
std::optional<Postmaster> find_postmaster(const std::filesystem::path& data);

/// After kill -9 of the server: ends backends that have outlived it, which would keep a new one from starting, and
/// removes its postmaster.pid and sockets. Call it only when find_postmaster gives none. Gives the socket's folder.
std::filesystem::path clear_leftovers(const std::filesystem::path& data, const Account& server);

/// Signals the server and waits for its end. False when it still runs after `patience`.
bool end_postmaster(const std::filesystem::path& data, int signal, std::chrono::seconds patience);

}  // namespace decant::store
