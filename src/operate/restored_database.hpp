#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "operate/backup_manifest.hpp"
#include "pg/held_lock.hpp"

namespace decant::operate {

struct RestoreOptions {
    bool keeps_owners = true;  ///< and grants; false: everything is the connected role's
    std::optional<std::string> postgres_folder = {};
    std::string takes_name_of = {};  ///< the database whose name it is to get in the end
};

/// A database of the server under a name of its own, made from a dump. Dropped with this object unless it was put in
/// its place, or when the process was killed with the next one. One thread.
class RestoredDatabase {
public:
    /// Makes it empty. `conninfo` names the server; its database needs not be there. Throws Error{not_found} naming
    /// roles that the server lacks, Error{permission_denied}.
    RestoredDatabase(const std::string& conninfo, const DatabaseBackup& backup, RestoreOptions options);
    RestoredDatabase(const RestoredDatabase&) = delete;
    RestoredDatabase& operator=(const RestoredDatabase&) = delete;
    ~RestoredDatabase();

    /// Fills it and takes its statistics. Throws what pg_restore's failure means.
    void load(const std::filesystem::path& dump);

    /// What of its tables is not as the backup has it: one sentence each.
    std::vector<std::string> differences() const;

    /// Gives it the grants and settings of the backup's; what could not be taken over, one sentence each.
    std::vector<std::string> apply_properties();

    /// Gives it the name `name`; with `kept` the database that has the name is renamed to that in the same transaction,
    /// its sessions ended. Throws Error{busy} while they cannot be ended: nothing has changed then.
    void take_name(const std::string& name, const std::optional<std::string>& kept);

private:
    std::string build_options() const;
    void drop() noexcept;

    std::string conninfo_;  ///< of a database that is not touched
    const DatabaseBackup& backup_;
    RestoreOptions options_;
    std::string name_;
    pg::HeldLock lock_;  ///< tells it from one that was left behind
    bool is_ours_ = false;
};

/// Whether the server of `conninfo` has a database of this name.
bool has_database(const std::string& conninfo, const std::string& name);

}  // namespace decant::operate
