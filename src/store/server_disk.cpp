#include "store/server_disk.hpp"

#include <sys/statvfs.h>

#include <string>

namespace decant::store {

std::optional<std::uint64_t> free_server_bytes(pg::Connection& db) {
    if (!db.is_local()) return std::nullopt;
    const pg::Result may = db.exec("SELECT pg_catalog.pg_has_role('pg_read_all_settings', 'USAGE')");
    if (!may.boolean(0, 0)) return std::nullopt;
    const std::string folder{db.exec("SELECT pg_catalog.current_setting('data_directory')").text(0, 0)};
    struct statvfs volume{};
    if (statvfs(folder.c_str(), &volume) != 0) return std::nullopt;
    return static_cast<std::uint64_t>(volume.f_bavail) * volume.f_frsize;
}

}  // namespace decant::store
