#include "store/pgvector.hpp"

#include <fmt/format.h>

namespace decant::store {
namespace {

constexpr std::string_view find_extension_sql =
    "SELECT n.nspname, e.extversion, n.nspname = ANY (pg_catalog.current_schemas(true)) FROM pg_catalog.pg_extension e "
    "JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'vector'";

}  // namespace

std::string Pgvector::type(pg::VectorType type) const {
    return fmt::format("{}.{}", schema, pg::name_of(type));
}

std::string Pgvector::operator_class(pg::VectorType type, catalog::Space space) const {
    return fmt::format("{}.{}_{}_ops", schema, pg::name_of(type), name_of(space));
}

std::string Pgvector::distance_operator(catalog::Space space) const {
    return fmt::format("OPERATOR({}.{})", schema, operator_of(space));
}

std::optional<Pgvector> find_pgvector(pg::Connection& db) {
    const pg::Result found = db.exec(find_extension_sql);
    if (found.empty()) return std::nullopt;
    return Pgvector{.schema = db.quote_identifier(found.text(0, 0)),
                    .version = std::string{found.text(0, 1)},
                    .is_in_search_path = found.boolean(0, 2)};
}

std::uint32_t max_index_dimensions(pg::VectorType type) noexcept {
    return type == pg::VectorType::vector ? 2'000 : 4'000;
}

}  // namespace decant::store
