#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "pg/connection.hpp"
#include "store/catalog_state.hpp"
#include "store/migrations.hpp"

namespace decant::store {

/// Where one migration stands in a database.
struct MigrationStatus {
    int version = 0;
    std::string name;
    std::string
        state;  ///< applied, pending, made by hand, incomplete (objects are missing), outdated (by an older text)
    std::string applied_at;  ///< UTC; empty when it is not recorded
    std::vector<std::string> missing;
};

/// Makes and removes the catalog's schema. Each migration is one transaction with its record in
/// decant.schema_migrations (a checksum of the text); what was made by hand is adopted. On a table that has rows the
/// indexes are built concurrently before the record is written. Locks are waited for 2 s at a time, so that the
/// catalog's readers never queue behind this for longer, in at most five tries.
class SchemaMigrator {
public:
    /// Told whom it waits for.
    using Note = std::function<void(const std::string& line)>;

    /// Opens two connections: one works, the other looks who blocks it. Throws what Connection::open does.
    explicit SchemaMigrator(const std::string& conninfo, Note note = [](const std::string&) {});

    std::vector<MigrationStatus> status();

    /// Applies what is not applied; gives its names. `dimension` is of a new embedding column. First finds everything
    /// that keeps it from starting, before any write. Throws Error{dimension_mismatch}, Error{permission_denied},
    /// Error{store_rejected}, Error{store_unavailable}; Error{conflict} where a newer decant was; Error{busy} naming
    /// who holds a lock.
    std::vector<std::string> up(std::optional<std::uint32_t> dimension);

    struct Undone {
        std::vector<std::string> names;
        std::string extension_stays;  ///< why; empty when the extension vector is gone
    };
    /// Takes back the migrations above `version`, newest first. Throws as up.
    Undone down(int version);

    pg::Connection& db() noexcept { return db_; }

private:
    void refuse_newer_schema();
    void apply(const Migration& migration, std::uint32_t dimension);
    void build_indexes(std::string_view statements);
    void in_locked_transaction(const std::function<void()>& work);
    pg::Result run_watched(std::string_view sql);
    void look_for_blockers(const std::string& server_pid);

    pg::Connection db_;
    pg::Connection watcher_;
    Note note_;
    std::string blockers_;  ///< of the newest statement that had to wait
};

}  // namespace decant::store
