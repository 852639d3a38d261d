#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

#include "tests/support/throwaway_cluster.hpp"

namespace decant::test {

/// A PgBouncer in transaction mode before a cluster, on a Unix socket of its own, for the role postgres. Throws when
/// the program is not installed.
class PgBouncer {
public:
    explicit PgBouncer(const ThrowawayCluster& cluster);
    PgBouncer(const PgBouncer&) = delete;
    PgBouncer& operator=(const PgBouncer&) = delete;
    ~PgBouncer();

    std::string conninfo(const std::string& database) const;

private:
    std::filesystem::path folder_;
    pid_t pid_ = -1;
};

}  // namespace decant::test
