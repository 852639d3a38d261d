#pragma once

#include <functional>
#include <string>

#include "pg/connection.hpp"

namespace decant::store {

/// A request that its caller may send again without it being done again (Idempotency-Key).
struct RepeatableRequest {
    std::string caller;  ///< the credential's name, or the address: keys of different callers are different
    std::string key;
    std::string content;  ///< all that makes another request of it: method, path and body
};

struct KeptAnswer {
    int status = 200;
    std::string body;
    bool is_repeated = false;  ///< it was given before; nothing was done now
};

/// Runs `work` in one transaction with the record of its answer, so that it is done once however often and from
/// wherever the request comes within a day, and not at all when it throws. `work` uses `db`, opens no transaction of
/// its own, and gives what is answered. Throws Error{request_invalid} when the key came with other content,
/// Error{conflict} while the first request with this key is still at work, and what `work` throws.
KeptAnswer answer_once(pg::Connection& db, const RepeatableRequest& request, const std::function<KeptAnswer()>& work);

/// Removes keys that are older than a day; their number.
std::uint64_t prune_idempotency_keys(pg::Connection& db);

}  // namespace decant::store
