#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace decant::store {

/// What the embedded server may reckon with; bytes.
struct MachineSize {
    std::uint64_t memory;         ///< of the machine, or the control group's limit when that is less
    std::uint64_t shared_memory;  ///< free in /dev/shm
    std::uint64_t free_disk;      ///< where the data is
    unsigned processors;          ///< that this process may run on
};

MachineSize measure_machine(const std::filesystem::path& data_folder);

/// Lines of postgresql.conf for a server that loads and indexes vectors beside other programs.
std::string sized_configuration(const MachineSize& machine);

}  // namespace decant::store
