#include "store/cluster_sizing.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <system_error>
#include <thread>

namespace decant::store {
namespace {

constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20U;
constexpr std::uint64_t gibibyte = std::uint64_t{1} << 30U;

/// A file that holds one number; "max" and a missing file are no limit.
std::uint64_t limit_in(const char* file) {
    std::uint64_t limit = UINT64_MAX;
    std::ifstream stream{file};
    return stream >> limit ? limit : UINT64_MAX;
}

std::uint64_t free_space(const std::filesystem::path& folder) {
    std::error_code failed;
    const auto space = std::filesystem::space(folder, failed);
    return failed ? 0 : space.available;
}

std::string megabytes(std::uint64_t bytes) {
    return fmt::format("{}MB", bytes / mebibyte);
}

}  // namespace

MachineSize measure_machine(const std::filesystem::path& data_folder) {
    const auto pages = static_cast<std::uint64_t>(std::max(::sysconf(_SC_PHYS_PAGES), 1L));
    const auto page_size = static_cast<std::uint64_t>(std::max(::sysconf(_SC_PAGESIZE), 1L));
    return {
        .memory = std::min({pages * page_size, limit_in("/sys/fs/cgroup/memory.max"),
                            limit_in("/sys/fs/cgroup/memory/memory.limit_in_bytes")}),
        .shared_memory = free_space("/dev/shm"),
        .free_disk = free_space(data_folder),
        .processors = std::max(std::thread::hardware_concurrency(), 1U),
    };
}

std::string sized_configuration(const MachineSize& machine) {
    const std::uint64_t shared_buffers = std::clamp(machine.memory / 8, 128 * mebibyte, 4 * gibibyte);
    const std::uint64_t maintenance = std::clamp(machine.memory / 16, 64 * mebibyte, 2 * gibibyte);
    const std::uint64_t wal = std::clamp(machine.free_disk / 10, 256 * mebibyte, 4 * gibibyte);
    const unsigned workers = std::clamp(machine.processors, 2U, 8U);
    // The workers of an index build share maintenance_work_mem of dynamic shared memory; a container's /dev/shm is 64
    // MB.
    const bool is_shm_enough = machine.shared_memory > 2 * maintenance;
    return fmt::format(
        "shared_buffers = {}\n"
        "effective_cache_size = {}\n"
        "maintenance_work_mem = {}\n"
        "work_mem = 16MB\n"
        "max_wal_size = {}\n"
        "min_wal_size = {}\n"
        "checkpoint_timeout = 15min\n"
        "max_worker_processes = {}\n"
        "max_parallel_workers = {}\n"
        "max_parallel_maintenance_workers = {}\n"
        "random_page_cost = 1.1\n"
        "dynamic_shared_memory_type = {}\n",
        megabytes(shared_buffers), megabytes(machine.memory / 2), megabytes(maintenance), megabytes(wal),
        megabytes(wal / 4), workers + 8, workers, workers, is_shm_enough ? "posix" : "mmap");
}

}  // namespace decant::store
