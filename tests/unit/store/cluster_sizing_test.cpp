#include "store/cluster_sizing.hpp"

#include <gmock/gmock.h>

namespace decant::store {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t gibibyte = std::uint64_t{1} << 30U;

TEST(ClusterSizing, GivesABigMachineMoreThanASmallOne) {
    const std::string big = sized_configuration({24 * gibibyte, 12 * gibibyte, 100 * gibibyte, 4});
    EXPECT_THAT(big, HasSubstr("shared_buffers = 3072MB\n"));
    EXPECT_THAT(big, HasSubstr("maintenance_work_mem = 1536MB\n"));
    EXPECT_THAT(big, HasSubstr("max_wal_size = 4096MB\n"));
    EXPECT_THAT(big, HasSubstr("max_parallel_maintenance_workers = 4\n"));
}

TEST(ClusterSizing, LeavesASmallMachineRoomForOthers) {
    const std::string small = sized_configuration({gibibyte, gibibyte / 2, 4 * gibibyte, 1});
    EXPECT_THAT(small, HasSubstr("shared_buffers = 128MB\n"));
    EXPECT_THAT(small, HasSubstr("maintenance_work_mem = 64MB\n"));
    EXPECT_THAT(small, HasSubstr("max_wal_size = 409MB\n"));
}

TEST(ClusterSizing, KeepsIndexWorkersOutOfTheSmallShmOfAContainer) {
    EXPECT_THAT(sized_configuration({24 * gibibyte, gibibyte / 16, 100 * gibibyte, 4}),
                HasSubstr("dynamic_shared_memory_type = mmap\n"));
    EXPECT_THAT(sized_configuration({24 * gibibyte, 12 * gibibyte, 100 * gibibyte, 4}),
                HasSubstr("dynamic_shared_memory_type = posix\n"));
}

}  // namespace
}  // namespace decant::store
