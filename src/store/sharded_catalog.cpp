#include "store/sharded_catalog.hpp"

#include <fmt/format.h>

#include <boost/json/parse.hpp>

#include "core/error.hpp"
#include "core/json.hpp"

namespace decant::store {
namespace {

constexpr std::string_view description_sql =
    "SELECT pg_catalog.obj_description(oid, 'pg_namespace') FROM pg_catalog.pg_namespace WHERE nspname = $1";

constexpr std::string_view shards_sql = R"sql(
SELECT c.relname,
       (SELECT option_value FROM pg_catalog.pg_options_to_table(s.srvoptions) WHERE option_name = 'host'),
       (SELECT option_value FROM pg_catalog.pg_options_to_table(s.srvoptions) WHERE option_name = 'port'),
       (SELECT option_value FROM pg_catalog.pg_options_to_table(s.srvoptions) WHERE option_name = 'dbname')
FROM pg_catalog.pg_foreign_table f JOIN pg_catalog.pg_class c ON c.oid = f.ftrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_foreign_server s ON s.oid = f.ftserver
WHERE n.nspname = $1 AND c.relname LIKE 'products\_' || $2 || '\_%' ORDER BY c.relname)sql";

}  // namespace

std::string description_of(const ShardedCatalog& catalog) {
    return json_text(json::object{{"generation", catalog.generation},
                                  {"model", catalog.model},
                                  {"dimension", catalog.dimension},
                                  {"rows", catalog.rows},
                                  {"made_at", catalog.made_at}});
}

std::optional<ShardedCatalog> read_sharded_catalog(pg::Connection& db) {
    const pg::Result found = db.query(description_sql, {sharded_schema});
    if (found.empty() || found.is_null(0, 0)) return std::nullopt;
    ShardedCatalog catalog;
    try {
        const json::value told = json::parse(found.text(0, 0));
        catalog.generation = told.at("generation").as_string();
        catalog.model = told.at("model").as_string();
        catalog.dimension = told.at("dimension").to_number<std::uint32_t>();
        catalog.rows = told.at("rows").to_number<std::uint64_t>();
        catalog.made_at = told.at("made_at").as_string();
    } catch (const std::exception&) {
        throw Error{
            ErrorCode::store_rejected,
            fmt::format("The comment of schema {} is not the one that `decant schema shard` wrote", sharded_schema),
            "Make the copy anew: decant schema shard."};
    }
    const pg::Result shards = db.query(shards_sql, {sharded_schema, catalog.generation});
    for (int row = 0; row < shards.rows(); ++row) {
        catalog.shards.push_back(
            {.address = fmt::format("{}:{}/{}", shards.text(row, 1), shards.text(row, 2), shards.text(row, 3)),
             .table = fmt::format("{}.{}", sharded_schema, db.quote_identifier(shards.text(row, 0)))});
    }
    return catalog;
}

}  // namespace decant::store
