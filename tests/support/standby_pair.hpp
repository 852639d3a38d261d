#pragma once

#include <string>

#include "tests/support/throwaway_cluster.hpp"

namespace decant::test {

/// A primary with two hot standbys, by streaming replication.
struct StandbyPair {
    StandbyPair();

    /// As DB_READ_HOSTS takes it.
    static std::string host_of(const ThrowawayCluster& cluster);
    std::string hosts() const { return host_of(first) + "," + host_of(second); }

    static void exec(const ThrowawayCluster& cluster, const std::string& sql);
    void pause_both() const;
    void resume_both() const;

    ThrowawayCluster primary;
    ThrowawayCluster first;
    ThrowawayCluster second;
};

/// kill(2) of the server and all its processes.
void signal_all(const ThrowawayCluster& cluster, int number);

}  // namespace decant::test
