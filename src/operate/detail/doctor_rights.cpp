#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "operate/detail/check.hpp"

namespace decant::operate::detail {
namespace {

// One row a relation, with what the role may not do; the catalog first.
constexpr std::string_view lacking_sql = R"sql(
SELECT relation, pg_catalog.string_agg(privilege, ', ' ORDER BY privilege),
       pg_catalog.bool_or(is_catalog AND privilege = 'SELECT')
FROM (SELECT c.oid, pg_catalog.format('%I.%I', n.nspname, c.relname) AS relation, p.privilege,
             n.nspname <> 'decant' AS is_catalog
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      CROSS JOIN (VALUES ('SELECT'), ('INSERT'), ('UPDATE'), ('DELETE')) AS p (privilege)
      WHERE c.relkind IN ('r', 'p')
        AND (n.nspname = 'decant' AND c.relname <> 'schema_migrations'
             OR c.oid IN (pg_catalog.to_regclass('products'), pg_catalog.to_regclass('categories'),
                          pg_catalog.to_regclass('brands')) AND p.privilege <> 'DELETE')) wanted
WHERE NOT pg_catalog.has_table_privilege(oid, privilege)
GROUP BY relation ORDER BY pg_catalog.bool_or(is_catalog) DESC, relation)sql";

constexpr std::string_view schema_sql =
    "SELECT coalesce(pg_catalog.bool_and(pg_catalog.has_schema_privilege(oid, 'USAGE')), true) "
    "FROM pg_catalog.pg_namespace WHERE nspname = 'decant'";

constexpr std::string_view owner_sql =
    "SELECT pg_catalog.pg_get_userbyid(relowner) FROM pg_catalog.pg_class WHERE oid = "
    "pg_catalog.to_regclass('products')";

constexpr int most_shown = 5;

Finding look_tables(Examination& patient) {
    patient.catalog();
    pg::Connection& db = patient.db();
    const std::string role = db.quote_identifier(db.user());
    const pg::Result lacking = db.exec(lacking_sql);
    const bool may_enter = db.exec(schema_sql).boolean(0, 0);
    if (lacking.empty() && may_enter) return ok(fmt::format("Role '{}' may read and write what it needs", db.user()));
    std::vector<std::string> shown;
    std::string grants;
    bool is_blind = false;
    if (!may_enter) {
        shown.emplace_back("USAGE on schema decant");
        grants = fmt::format("GRANT USAGE ON SCHEMA decant TO {};", role);
    }
    for (int row = 0; row < lacking.rows(); ++row) {
        is_blind = is_blind || lacking.boolean(row, 2);
        grants += fmt::format("GRANT {} ON {} TO {};", lacking.text(row, 1), lacking.text(row, 0), role);
        if (row < most_shown) shown.push_back(fmt::format("{} on {}", lacking.text(row, 1), lacking.text(row, 0)));
    }
    if (lacking.rows() > most_shown) shown.push_back(fmt::format("and on {} more", lacking.rows() - most_shown));
    const std::string found = fmt::format("Role '{}' lacks {}", db.user(), fmt::join(shown, "; "));
    const std::string remedy = "Have their owner run: " + grants;
    return is_blind ? failure(found, remedy) : warning(found, remedy);
}

Finding look_owner(Examination& patient) {
    const store::CatalogState& state = patient.catalog();
    pg::Connection& db = patient.db();
    if (state.may_alter) return ok(fmt::format("Role '{}' may change the schema", db.user()));
    return warning(fmt::format("Role '{}' may not change {}.products: it cannot migrate, index or mend it", db.user(),
                               state.schema),
                   fmt::format("Do that as its owner, '{}', with --db.", db.exec(owner_sql).text(0, 0)));
}

constexpr std::array checks{
    Check{"rights.tables", "What may not be read is not found; what may not be written fails in the midst of work.",
          look_tables},
    Check{"rights.owner", "Migrations, index builds and `decant doctor --fix` need the owner's rights.", look_owner},
};

}  // namespace

std::span<const Check> rights_checks() noexcept {
    return checks;
}

}  // namespace decant::operate::detail
