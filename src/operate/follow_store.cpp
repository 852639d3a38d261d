#include "operate/follow_store.hpp"

#include <fmt/format.h>

#include "core/error.hpp"

namespace decant::operate {
namespace {

// As decant.runs it is made where it is first needed: a copy wants no catalog, and so no migrations.
constexpr std::string_view prepare_sql = R"sql(
CREATE TABLE IF NOT EXISTS decant.follows (
    table_schema text NOT NULL,
    table_name text NOT NULL,
    collection_id text NOT NULL,
    newest bigint NOT NULL,
    applied bigint NOT NULL,
    written text NOT NULL DEFAULT '',
    full_run bigint,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (table_schema, table_name, collection_id)
);
DO $of_an_earlier_version$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = 'decant.follows'::pg_catalog.regclass
                   AND attname = 'written' AND NOT attisdropped) THEN
        ALTER TABLE decant.follows ADD COLUMN written text NOT NULL DEFAULT '';
    END IF;
END
$of_an_earlier_version$)sql";

constexpr std::string_view position_sql =
    "SELECT newest, applied, written FROM decant.follows WHERE table_schema = $1 AND table_name = $2 AND collection_id "
    "= $3";
constexpr std::string_view insert_sql =
    "INSERT INTO decant.follows (table_schema, table_name, collection_id, newest, applied, written) "
    "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
constexpr std::string_view update_sql =
    "UPDATE decant.follows SET newest = $4, applied = $5, written = $6, updated_at = now() "
    "WHERE table_schema = $1 AND table_name = $2 AND collection_id = $3 AND newest = $7 AND applied = $8";
constexpr std::string_view forget_sql =
    "DELETE FROM decant.follows WHERE table_schema = $1 AND table_name = $2 AND collection_id = $3";
constexpr std::string_view keep_run_sql = R"sql(
WITH earlier AS (SELECT full_run FROM decant.follows
                 WHERE table_schema = $1 AND table_name = $2 AND collection_id = $3),
     gone AS (DELETE FROM decant.runs WHERE id = (SELECT full_run FROM earlier) AND id <> $4::bigint)
UPDATE decant.follows SET full_run = $4::bigint WHERE table_schema = $1 AND table_name = $2 AND collection_id = $3)sql";

}  // namespace

void FollowStore::prepare() {
    db_.exec(prepare_sql);
}

std::optional<chroma::QueuePosition> FollowStore::position() {
    const pg::Result row = db_.query(position_sql, {table_.schema, table_.table, collection_id_});
    if (row.empty()) return std::nullopt;
    return chroma::QueuePosition{.newest = static_cast<std::uint64_t>(row.integer(0, 0)),
                                 .applied = static_cast<std::uint64_t>(row.integer(0, 1)),
                                 .written = std::string{row.text(0, 2)}};
}

void FollowStore::save(const std::optional<chroma::QueuePosition>& before, const chroma::QueuePosition& now) {
    std::vector<pg::Param> params{
        table_.schema, table_.table, collection_id_, std::to_string(now.newest), std::to_string(now.applied),
        now.written};
    if (before) {
        params.emplace_back(std::to_string(before->newest));
        params.emplace_back(std::to_string(before->applied));
    }
    if (db_.query(before ? update_sql : insert_sql, params).affected() == 1) return;
    throw Error{ErrorCode::conflict,
                fmt::format("Another process follows collection {} into {} too", collection_id_, table_.shown()),
                "Let only one of them run; what both wrote is right."};
}

void FollowStore::forget() {
    db_.query(forget_sql, {table_.schema, table_.table, collection_id_});
}

void FollowStore::keep_run(std::int64_t run_id) {
    db_.query(keep_run_sql, {table_.schema, table_.table, collection_id_, std::to_string(run_id)});
}

}  // namespace decant::operate
