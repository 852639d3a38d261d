#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <ranges>

#include "embed/known_models.hpp"
#include "operate/detail/check.hpp"
#include "store/migrations.hpp"
#include "store/schema_migrator.hpp"
#include "store/server_check.hpp"

namespace decant::operate::detail {
namespace {

constexpr std::string_view is_recorded_sql = "SELECT pg_catalog.to_regclass('decant.schema_migrations') IS NOT NULL";
constexpr std::string_view outdate_sql = "UPDATE decant.schema_migrations SET checksum = '' WHERE version = $1::int";
constexpr std::string_view newest_sql =
    "SELECT name FROM decant.schema_migrations WHERE version > $1::int ORDER BY version DESC LIMIT 1";

constexpr std::string_view functions_sql = R"sql(
SELECT p.proname, p.prosrc FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_class c ON c.relnamespace = p.pronamespace
WHERE c.oid = pg_catalog.to_regclass('products') ORDER BY p.proname)sql";

constexpr std::string_view disabled_sql = R"sql(
SELECT t.tgname, t.tgrelid::regclass::text FROM pg_catalog.pg_trigger t
WHERE t.tgenabled = 'D' AND (t.tgname LIKE 'decant\_%' OR t.tgname = 'trigger_update_embedding_version')
  AND t.tgrelid IN (pg_catalog.to_regclass('products'), pg_catalog.to_regclass('categories'),
                    pg_catalog.to_regclass('subcategories'), pg_catalog.to_regclass('brands'))
ORDER BY t.tgname, 2)sql";

constexpr std::string_view view_sql =
    "SELECT v.total_products, v.products_with_embeddings, p.total, p.embedded "
    "FROM (SELECT count(*) AS total, count(embedding) AS embedded FROM products WHERE active) p "
    "LEFT JOIN product_embedding_stats v ON true";

constexpr std::string_view words_sql =
    "SELECT count(*) FROM products p WHERE NOT EXISTS (SELECT FROM decant.product_words w WHERE w.product_id = p.id)";

constexpr std::string_view search_index = "index idx_products_embedding_hnsw";

/// Those of the missing objects that `is_wanted` says.
template <typename Predicate>
std::vector<std::string> missing(Examination& patient, Predicate is_wanted) {
    std::vector<std::string> names;
    for (const store::MissingObject& object : patient.catalog().missing) {
        const bool is_known = std::ranges::find(names, object.name) != names.end();
        if (!is_known && is_wanted(std::string_view{object.name})) names.push_back(object.name);
    }
    return names;
}

Finding lacking(Examination& patient, const std::vector<std::string>& names, std::string_view all_there) {
    if (names.empty()) return ok(std::string{all_there});
    return failure(fmt::format("Missing: {}", fmt::join(names, ", ")), "decant schema up", schema_up(patient));
}

bool is_of_view(std::string_view name) {
    return name == "table product_embedding_stats" || name == "index idx_product_embedding_stats";
}

Finding look_catalog(Examination& patient) {
    pg::Connection& db = patient.db();
    const store::CatalogState state = store::read_catalog_state(db);
    if (!state.has_products) {
        Finding finding = failure(fmt::format("There is no table products in database '{}'", db.database()),
                                  "Is it the right database? Then: decant schema up", schema_up(patient));
        finding.mend->is_safe = false;
        return finding;
    }
    const auto is_table = [](std::string_view name) {
        return name.starts_with("table ") && !name.starts_with("table decant.") && !is_of_view(name);
    };
    return lacking(patient, missing(patient, is_table), fmt::format("The catalog is in schema {}", state.schema));
}

Finding look_migrations(Examination& patient) {
    pg::Connection& db = patient.db();
    const store::Migration& last = store::all_migrations().back();
    if (db.exec(is_recorded_sql).boolean(0, 0)) {
        const pg::Result newer = db.query(newest_sql, {std::to_string(last.version)});
        if (!newer.empty()) {
            return failure(fmt::format("Migration {} is applied, which this decant does not know", newer.text(0, 0)),
                           "A newer decant made it: use that one.");
        }
    }
    std::vector<std::string> names;
    for (const store::MigrationStatus& status : store::SchemaMigrator{patient.conninfo()}.status()) {
        if (status.state == "pending" || status.state == "outdated")
            names.push_back(fmt::format("{} ({})", status.name, status.state));
    }
    if (names.empty()) return ok(fmt::format("All are applied, up to {}", last.name));
    return failure(fmt::format("Not applied: {}", fmt::join(names, ", ")), "decant schema up", schema_up(patient));
}

Finding look_columns(Examination& patient) {
    pg::Connection& db = patient.db();
    const std::vector<std::string> names =
        missing(patient, [](std::string_view name) { return name.starts_with("column "); });
    if (const auto problem = store::embedding_problem(db, patient.catalog()))
        return failure(problem->happened(), problem->remedy(), schema_up(patient));
    return lacking(patient, names, fmt::format("products.embedding is {}", patient.catalog().column_type()));
}

/// The newest migration that makes it; null: none does as it stands in its text.
const store::Migration* maker_of(std::string_view function) {
    const std::string start = fmt::format("\nCREATE OR REPLACE FUNCTION {}(", function);
    const auto migrations = store::all_migrations() | std::views::reverse;
    const auto found = std::ranges::find_if(migrations, [&](const store::Migration& migration) {
        return migration.up.find(start) != std::string_view::npos;
    });
    return found == migrations.end() ? nullptr : &*found;
}

Finding look_functions(Examination& patient) {
    const std::vector<std::string> names =
        missing(patient, [](std::string_view name) { return name.starts_with("function "); });
    if (!names.empty()) return lacking(patient, names, "");
    std::vector<std::string> changed;
    const pg::Result functions = patient.db().exec(functions_sql);
    for (int row = 0; row < functions.rows(); ++row) {
        const store::Migration* maker = maker_of(functions.text(row, 0));
        if (maker != nullptr && maker->up.find(functions.text(row, 1)) == std::string_view::npos)
            changed.emplace_back(functions.text(row, 0));
    }
    if (changed.empty()) return ok("All are there, as the migrations make them");
    std::vector<std::string> objects;
    for (const std::string& name : changed)
        objects.push_back("FUNCTION " + name);
    return failure(fmt::format("Not as the migrations make them: {}", fmt::join(changed, ", ")),
                   fmt::format("psql -f migrations/{}.sql, or: decant doctor --fix", maker_of(changed.front())->name),
                   schema_up(patient, objects));
}

Finding look_triggers(Examination& patient) {
    const std::vector<std::string> names =
        missing(patient, [](std::string_view name) { return name.starts_with("trigger "); });
    if (!names.empty()) return lacking(patient, names, "");
    pg::Connection& db = patient.db();
    const pg::Result disabled = db.exec(disabled_sql);
    if (disabled.empty()) return ok("All are there and enabled");
    std::string sql;
    std::vector<std::string> shown;
    for (int row = 0; row < disabled.rows(); ++row) {
        sql += fmt::format("ALTER TABLE {} ENABLE TRIGGER {};", disabled.text(row, 1),
                           db.quote_identifier(disabled.text(row, 0)));
        shown.push_back(fmt::format("{} on {}", disabled.text(row, 0), disabled.text(row, 1)));
    }
    return failure(fmt::format("Disabled: {}", fmt::join(shown, ", ")), store::psql_call(db, sql),
                   statement(patient, true, "enable them", sql));
}

Finding look_view(Examination& patient) {
    return lacking(patient, missing(patient, is_of_view), "product_embedding_stats and its index are there");
}

Finding look_view_age(Examination& patient) {
    patient.catalog();
    pg::Connection& db = patient.db();
    const pg::Result row = db.exec(view_sql);
    if (!row.is_null(0, 0) && row.text(0, 0) == row.text(0, 2) && row.text(0, 1) == row.text(0, 3))
        return ok("product_embedding_stats has the counts that products has");
    const std::string sql = "REFRESH MATERIALIZED VIEW CONCURRENTLY product_embedding_stats;";
    return warning(fmt::format("product_embedding_stats says {} of {} products, there are {} of {}",
                               row.is_null(0, 0) ? "nothing" : row.text(0, 1), row.is_null(0, 0) ? "-" : row.text(0, 0),
                               row.text(0, 3), row.text(0, 2)),
                   store::psql_call(db, sql), statement(patient, true, "refresh it", sql));
}

Finding look_tables(Examination& patient) {
    return lacking(patient, missing(patient, [](std::string_view name) { return name.starts_with("table decant."); }),
                   "All of schema decant are there");
}

Finding look_indexes(Examination& patient) {
    const auto is_plain = [](std::string_view name) {
        return name.starts_with("index ") && name != search_index && !is_of_view(name);
    };
    return lacking(patient, missing(patient, is_plain), "All are there and valid");
}

Finding look_words(Examination& patient) {
    patient.catalog();
    const std::int64_t without = patient.db().exec(words_sql).integer(0, 0);
    if (without == 0) return ok("Every product has its words");
    return warning(fmt::format("{} products have no row in decant.product_words", without), "decant doctor --fix",
                   schema_up(patient, {"decant_refresh_product_words(ids, only_new"}));
}

/// Of a column that is to be made: the model's. None: the column is there, or nothing embeds.
std::optional<std::uint32_t> wanted_dimension(Examination& patient) {
    const embed::EmbedderChoice choice = patient.choice();
    if (choice.provider == "none" || store::read_catalog_state(patient.db()).has_embedding()) return std::nullopt;
    const embed::Model* known = embed::find_known_model(choice.provider, choice.model);
    return static_cast<std::uint32_t>((known != nullptr ? *known : patient.embedder().model()).dimension);
}

constexpr std::array checks{
    Check{"schema.catalog", "Products, categories and brands are what is searched.", look_catalog},
    Check{"schema.migrations", "This decant's statements expect its own schema.", look_migrations},
    Check{"schema.columns", "A product's vector, its model, age and digest stand in columns of products.",
          look_columns},
    Check{"schema.functions", "SQL that the guide gives calls them, and triggers do.", look_functions},
    Check{"schema.triggers", "Without them changed products keep the vector of their old text.", look_triggers},
    Check{"schema.view", "The guide's coverage queries ask it.", look_view},
    Check{"schema.view_age", "Who watches coverage by the view sees figures of before.", look_view_age},
    Check{"schema.tables", "Queue, words, keys, sessions and traces are kept there.", look_tables},
    Check{"schema.indexes", "Filters, stale products and words are found by them.", look_indexes},
    Check{"schema.words", "A product without its words is not found by words.", look_words},
};

}  // namespace

std::span<const Check> schema_checks() noexcept {
    return checks;
}

Mend statement(Examination& patient, bool is_safe, std::string what, std::string sql) {
    return {.is_safe = is_safe, .what = std::move(what), .run = [&patient, sql = std::move(sql)] {
                patient.exclusively([&] {
                    patient.db().exec("SET statement_timeout = 0");
                    patient.db().exec(sql);
                });
            }};
}

Mend schema_up(Examination& patient, std::vector<std::string> objects) {
    return {.is_safe = true, .what = "apply the migrations again", .run = [&patient, objects = std::move(objects)] {
                patient.exclusively([&] {
                    store::SchemaMigrator migrator{patient.conninfo()};
                    const bool is_recorded = migrator.db().exec(is_recorded_sql).boolean(0, 0);
                    for (const store::Migration& migration : store::all_migrations()) {
                        const auto makes = [&](const std::string& object) {
                            return migration.up.find(object) != std::string_view::npos;
                        };
                        // One whose checksum is another is applied again.
                        if (is_recorded && std::ranges::any_of(objects, makes))
                            migrator.db().query(outdate_sql, {std::to_string(migration.version)});
                    }
                    migrator.up(wanted_dimension(patient));
                });
            }};
}

}  // namespace decant::operate::detail
