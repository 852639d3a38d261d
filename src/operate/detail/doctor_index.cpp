#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <ranges>

#include "core/interrupt.hpp"
#include "operate/detail/check.hpp"
#include "operate/reindex.hpp"
#include "quality/monitor.hpp"
#include "search/vector_search.hpp"
#include "store/quality_figures.hpp"
#include "store/server_check.hpp"

namespace decant::operate::detail {
namespace {

constexpr double least_recall = 0.95;

constexpr std::string_view create_sql =
    "CREATE INDEX CONCURRENTLY idx_products_embedding_hnsw ON products USING hnsw (embedding vector_cosine_ops);";

// What the migrations make is the schema's checks' to tell of. Of the builds of other roles only their locks may be
// seen.
constexpr std::string_view leftovers_sql = R"sql(
SELECT i.indexrelid::regclass::text, i.indrelid::regclass::text FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT i.indisvalid AND c.relkind = 'i' AND NOT ('index ' || c.relname) = ANY ($1::text[])
  AND (n.nspname = 'decant' OR i.indrelid IN (pg_catalog.to_regclass('products'), pg_catalog.to_regclass('categories'),
                                              pg_catalog.to_regclass('brands')))
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index p
                  WHERE p.datname = pg_catalog.current_database()
                    AND (p.relid = i.indrelid
                         OR p.relid IS NULL AND EXISTS (SELECT FROM pg_catalog.pg_locks l
                                                        WHERE l.pid = p.pid AND l.relation = i.indrelid)))
ORDER BY 1)sql";

constexpr std::string_view vector_sql =
    "SELECT embedding::text FROM products WHERE active AND embedding IS NOT NULL ORDER BY id LIMIT 1";

std::vector<float> parse_vector(std::string_view text) {
    std::vector<float> values;
    for (std::size_t at = 1; at < text.size();) {
        const std::size_t end = std::min(text.find_first_of(",]", at), text.size());
        values.push_back(std::stof(std::string{text.substr(at, end - at)}));
        at = end + 1;
    }
    return values;
}

std::string reindex_call(const store::EmbeddingIndex& index) {
    const bool is_half = index.operator_class.starts_with("halfvec");
    return fmt::format("decant reindex{}{}", index.method == "ivfflat" ? " --type ivfflat" : "",
                       is_half ? " --halfvec" : "");
}

/// Of an index for cosine distance where there is none.
std::string first_index_call(Examination& patient) {
    const std::uint32_t most = store::max_index_dimensions(pg::VectorType::vector);
    return patient.catalog().dimension.value_or(0) > most ? "decant reindex --halfvec" : "decant reindex";
}

/// Where the new one finds too little the old one stays. Those of others that searches cannot use stay in any case.
Mend renew(Examination& patient, std::string what) {
    return {.is_safe = false, .what = std::move(what), .run = [&patient] {
                const OperationLock lock{patient.conninfo(), "doctor --fix"};
                renew_index(
                    patient.db(), {.conninfo = patient.conninfo()}, patient.choice().model, lock,
                    {.progress = [](const std::string&, std::uint64_t, std::uint64_t) { return !interrupted(); },
                     .note = [](const std::string&) {}});
            }};
}

bool is_by_cosine(const store::EmbeddingIndex& index) {
    return index.operator_class.ends_with("_cosine_ops");
}

std::string build_text(const store::IndexBuildState& build) {
    return fmt::format("An index of products is being built: {}, {} of {}", build.phase, build.done, build.total);
}

Finding look_present(Examination& patient) {
    const store::EmbeddingStorage& storage = patient.storage();
    if (!storage.indexes.empty()) {
        std::vector<std::string> shown;
        for (const store::EmbeddingIndex& index : storage.indexes)
            shown.push_back(fmt::format("{} ({})", index.name, index.method));
        return ok(fmt::format("{}", fmt::join(shown, ", ")));
    }
    if (!storage.builds.empty()) return warning(build_text(storage.builds.front()), "Wait until it is done.");
    return failure("No HNSW index on products.embedding: every search compares all rows",
                   store::psql_call(patient.db(), create_sql), schema_up(patient));
}

Finding look_valid(Examination& patient) {
    const store::EmbeddingStorage& storage = patient.storage();
    if (storage.indexes.empty()) return skipped("There is no index", "Mend what the check `index.present` names.");
    auto asked = storage.indexes | std::views::filter(is_by_cosine);
    if (asked.empty())
        return skipped("No index is for cosine distance", "Mend what the check `index.operator_class` names.");
    if (std::ranges::any_of(asked, [](const auto& index) { return index.is_valid && index.is_ready; }))
        return ok("It is valid");
    if (!storage.builds.empty()) return warning(build_text(storage.builds.front()), "Wait until it is done.");
    const std::string name = asked.front().name;
    return failure(fmt::format("{} is not valid: its build was cut short, and searches do not use it", name),
                   store::psql_call(patient.db(),
                                    fmt::format("REINDEX INDEX CONCURRENTLY {};", patient.db().quote_identifier(name))),
                   schema_up(patient));
}

Finding look_operator_class(Examination& patient) {
    if (patient.search_index() != nullptr) return ok("It orders by cosine distance");
    const auto& indexes = patient.storage().indexes;
    const auto index = std::ranges::find(indexes, true, &store::EmbeddingIndex::is_valid);
    if (index == indexes.end() || std::ranges::any_of(indexes, is_by_cosine))
        return skipped("There is no valid index for it", "Mend what the checks before it name.");
    return failure(fmt::format("{} has the operator class {}: searches order by cosine distance, which it cannot give",
                               index->name, index->operator_class),
                   first_index_call(patient), renew(patient, "build an index for cosine distance"));
}

Finding look_leftovers(Examination& patient) {
    std::vector<std::string> known;
    for (const store::MissingObject& object : patient.catalog().missing)
        known.push_back(object.name);
    pg::Connection& db = patient.db();
    const pg::Result found = db.query(leftovers_sql, {pg::array_literal(known)});
    if (found.empty()) return ok("No build of an index left an invalid one behind");
    std::vector<std::string> names;
    for (int row = 0; row < found.rows(); ++row)
        names.emplace_back(found.text(row, 0));
    const std::string sql = fmt::format("DROP INDEX {};", fmt::join(names, ", "));
    return warning(
        fmt::format("Left behind invalid by CREATE INDEX or REINDEX CONCURRENTLY: {}", fmt::join(names, ", ")),
        store::psql_call(db, sql), Mend{.is_safe = true, .what = "drop them", .run = [&patient, names] {
                                            patient.exclusively([&] {
                                                for (const std::string& name : names)
                                                    patient.db().exec("DROP INDEX CONCURRENTLY " + name);
                                            });
                                        }});
}

Finding look_plan(Examination& patient) {
    const store::EmbeddingIndex* index = patient.search_index();
    if (index == nullptr) return skipped("There is no index that a search could use");
    pg::Connection& db = patient.db();
    const pg::Result some = db.exec(vector_sql);
    if (some.empty()) return skipped("No product has a vector to search for");
    const std::vector<float> vector = parse_vector(some.text(0, 0));
    const search::VectorAnswer answer = search::find_nearest(db, {.vector = vector, .limit = 1, .explains = true});
    for (const store::EmbeddingIndex& one : patient.storage().indexes) {
        if (answer.plan.find("using " + one.name) != std::string::npos)
            return ok(fmt::format("A search uses {}", one.name));
    }
    return failure(
        fmt::format("A search does not use {}: it compares every row", index->name),
        "See why: decant search --explain QUESTION; an index with a WHERE is of no use, one of all rows makes: " +
            first_index_call(patient),
        renew(patient, "build an index of all rows"));
}

Finding look_recall(Examination& patient) {
    const store::EmbeddingIndex* index = patient.search_index();
    if (index == nullptr) return skipped("There is no index that a search could use");
    pg::Connection& db = patient.db();
    const std::optional<store::QualityProbe> probe = store::newest_probe(db);
    if (!probe || !probe->recall) return skipped("It was not measured yet", "decant quality --probe");
    const std::string told = fmt::format("{} found {:.1f} % of the nearest rows ({})", index->name,
                                         100 * *probe->recall, probe->measured_at);
    if (*probe->recall >= least_recall) return ok(told);
    return warning(told, reindex_call(*index),
                   renew(patient, fmt::format("rebuild {} and measure again", index->name)));
}

constexpr std::array checks{
    Check{"index.present", "Slow search queries (>2s): without it every search compares all vectors.", look_present},
    Check{"index.valid", "An index that is not valid is paid for by every write, and used by no search.", look_valid},
    Check{"index.operator_class", "An index serves only the distance that it was made for.", look_operator_class},
    Check{"index.leftovers", "They take space, and every write pays for them.", look_leftovers},
    Check{"index.plan", "Whether the index is used is the planner's choice.", look_plan},
    Check{"index.recall", "What the index does not find is missing from answers.", look_recall},
};

}  // namespace

std::span<const Check> index_checks() noexcept {
    return checks;
}

}  // namespace decant::operate::detail
