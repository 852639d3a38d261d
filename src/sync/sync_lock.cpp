#include "sync/sync_lock.hpp"

#include "core/error.hpp"
#include "store/sync_store.hpp"

namespace decant::sync {

SyncLock::SyncLock(const std::string& conninfo) : lock_(conninfo, store::SyncStore::lock_sql) {
    if (lock_.is_held()) return;
    throw Error{ErrorCode::busy, "Another sync is running", "See it with `decant sync status`; this one did nothing."};
}

}  // namespace decant::sync
