#include "store/database_address.hpp"
namespace decant::store {
DatabaseAddress resolve_database(const Settings& settings) {
    auto u = settings.get("DATABASE_URL").value_or("");
    return {u, u, false};
}
}  // namespace decant::store
