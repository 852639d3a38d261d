#include "operate/shard_copy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "core/error.hpp"
#include "core/failpoint.hpp"
#include "core/quantity_text.hpp"
#include "operate/detail/foreign_shard.hpp"
#include "operate/operation_lock.hpp"
#include "pg/copy.hpp"
#include "pg/sql_state.hpp"
#include "store/catalog_state.hpp"
#include "store/index_builder.hpp"
#include "store/server_check.hpp"
#include "store/sharded_catalog.hpp"

namespace decant::operate {
namespace {

using detail::ShardServer;

constexpr std::string_view identity_sql =
    "SELECT (SELECT system_identifier FROM pg_catalog.pg_control_system())::text, "
    "(SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())::text";
constexpr std::string_view wrapper_sql =
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'postgres_fdw'), "
    "EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = 'postgres_fdw'), "
    "(SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user), "
    "coalesce((SELECT pg_catalog.has_foreign_data_wrapper_privilege(oid, 'USAGE') "
    "FROM pg_catalog.pg_foreign_data_wrapper WHERE fdwname = 'postgres_fdw'), false)";

// {} what a product's shard is, by its place from 0 on, of $1 shards.
constexpr std::string_view place_expression = "(pg_catalog.hashtextextended(id::text, 0) & 9223372036854775807) % {}";
constexpr std::string_view counts_sql =
    "SELECT {} AS place, count(*) FROM products WHERE embedding IS NOT NULL GROUP BY 1 ORDER BY 1";
constexpr std::string_view models_sql =
    "SELECT coalesce(embedding_model, ''), count(*) FROM products WHERE embedding IS NOT NULL GROUP BY 1 ORDER BY 2 "
    "DESC";
constexpr std::string_view out_sql =
    "COPY (SELECT id::uuid, category_id::uuid, subcategory_id::uuid, brand_id::uuid, price::float8, stock::integer, "
    "active::boolean, featured::boolean, on_sale::boolean, embedding FROM products WHERE embedding IS NOT NULL AND {} "
    "= "
    "{}) TO STDOUT (FORMAT binary)";
constexpr std::string_view in_sql = "COPY {} FROM STDIN (FORMAT binary)";

// No index but the one by distance: the planner would take another for a cheap way to read all.
constexpr std::string_view part_sql =
    "CREATE TABLE {} (id uuid NOT NULL, category_id uuid, subcategory_id uuid, brand_id uuid, price float8, stock "
    "integer, active boolean, featured boolean, on_sale boolean, embedding {} NOT NULL)";
constexpr std::string_view own_parts_sql =
    "SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = $1 AND c.relkind = 'r' AND pg_catalog.starts_with(c.relname, $2) ORDER BY 1";
constexpr std::string_view size_sql = "SELECT pg_catalog.pg_total_relation_size($1::regclass)";

constexpr std::string_view old_servers_sql =
    "SELECT DISTINCT s.srvname FROM pg_catalog.pg_foreign_table f JOIN pg_catalog.pg_class c ON c.oid = f.ftrelid "
    "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_foreign_server s ON s.oid = "
    "f.ftserver "
    "WHERE n.nspname = $1";
constexpr std::string_view now_sql =
    "SELECT pg_catalog.to_char(pg_catalog.now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')";

struct Identity {
    std::string system;
    std::string database;
    friend bool operator==(const Identity&, const Identity&) = default;

    /// Of the tables that belong to a copy of this database, whoever else has some on the same shard.
    std::string prefix() const { return fmt::format("products_{}_{}_", system, database); }
};

Identity identity_of(pg::Connection& db) {
    const pg::Result row = db.exec(identity_sql);
    return {std::string{row.text(0, 0)}, std::string{row.text(0, 1)}};
}

std::string random_generation() {
    return fmt::format("{:08x}", std::random_device{}());
}

/// A shard under work.
struct Shard {
    ShardServer server;
    pg::Connection db;
    std::uint64_t rows = 0;
};

class ShardCopy {
public:
    explicit ShardCopy(const ShardRequest& request)
        : request_(request), live_(pg::Connection::open(request.conninfo)), own_(identity_of(live_)) {}

    ShardReport run() {
        check_live();
        open_shards();
        count_rows();
        ShardReport report{.shards = {}, .model = model_, .dimension = dimension_, .rows = rows_};
        for (const Shard& shard : shards_) {
            report.shards.push_back(
                {.address = shard.server.address, .rows = shard.rows, .bytes = shard_bytes(shard.rows, dimension_)});
        }
        if (request_.is_dry) return report;
        const auto before = store::read_sharded_catalog(live_);
        for (Shard& shard : shards_)
            remove_parts(shard, before ? before->generation : "", report.removed);
        copy_rows();
        failpoint("shard.copied");
        for (std::size_t place = 0; place < shards_.size(); ++place)
            report.shards[place].bytes = finish_part(shards_[place]);
        failpoint("shard.indexed");
        publish();
        failpoint("shard.published");
        for (Shard& shard : shards_)
            remove_parts(shard, generation_, report.removed);
        return report;
    }

private:
    std::string part_name() const { return own_.prefix() + generation_; }
    std::string part() const { return fmt::format("{}.{}", store::shard_schema, part_name()); }
    void step(const std::string& told) const {
        if (!request_.may_go_on()) {
            throw Error{ErrorCode::cancelled, "Interrupted: the copy that was there before, if any, is still searched",
                        "Run it again: what this run left on the shards is removed then."};
        }
        request_.on_step(told);
    }

    void check_live() {
        const store::CatalogState state = store::read_catalog_state(live_);
        if (auto problem = store::embedding_problem(live_, state)) throw std::move(*problem);
        if (state.embedding_type != "vector" || !state.dimension) {
            throw Error{
                ErrorCode::store_rejected,
                fmt::format("Column products.embedding is {}, not vector of a fixed dimension", state.column_type()),
                "Only such vectors are copied."};
        }
        dimension_ = *state.dimension;
        pgvector_ = store::find_pgvector(live_).value();
        const pg::Result wrapper = live_.exec(wrapper_sql);
        const bool is_there = wrapper.boolean(0, 0);
        if (!is_there && !wrapper.boolean(0, 1)) {
            throw Error{ErrorCode::store_rejected, "The server has no package of the extension postgres_fdw",
                        "Install PostgreSQL's contrib modules on it (Debian, Ubuntu: in the package of the server)."};
        }
        if (is_there ? wrapper.boolean(0, 3) : wrapper.boolean(0, 2)) return;
        throw Error{
            ErrorCode::permission_denied,
            fmt::format("Role '{}' may not use postgres_fdw in database '{}'", live_.user(), live_.database()),
            "Have an administrator run: " +
                store::psql_call(live_, fmt::format("CREATE EXTENSION IF NOT EXISTS postgres_fdw; GRANT USAGE ON "
                                                    "FOREIGN DATA WRAPPER postgres_fdw TO {};",
                                                    live_.quote_identifier(live_.user())))};
    }

    void open_shards() {
        if (request_.servers.empty()) {
            throw Error{ErrorCode::config_invalid, "No server to copy to is named",
                        "Name them: decant schema shard --servers postgresql://HOST1/shop,postgresql://HOST2/shop"};
        }
        std::vector<Identity> seen{own_};
        std::vector<Error> problems;
        for (const std::string& url : request_.servers) {
            const std::size_t number = shards_.size() + 1;
            ShardServer server = detail::read_shard_server(url, number);
            Shard& shard = shards_.emplace_back(Shard{.server = server, .db = pg::Connection::open(server.conninfo)});
            const Identity identity = identity_of(shard.db);
            const auto found = std::ranges::find(seen, identity);
            if (found != seen.end()) {
                throw Error{
                    ErrorCode::config_invalid,
                    fmt::format("{} is {}", shard.server.address,
                                found == seen.begin() ? "the database of the live catalog, which is never a shard"
                                                      : "named twice"),
                    "Give each shard a database of its own."};
            }
            seen.push_back(identity);
            const store::ServerFacts facts = store::read_server_facts(shard.db);
            std::ranges::move(store::find_server_problems(shard.db, facts, false), std::back_inserter(problems));
            if (facts.pgvector && facts.pgvector->schema != pgvector_.schema) {
                problems.emplace_back(
                    ErrorCode::store_rejected,
                    fmt::format("On {} pgvector is in schema {}, here in {}: an order by distance "
                                "would not be sent to it",
                                shard.server.address, facts.pgvector->schema, pgvector_.schema),
                    store::psql_call(shard.db, fmt::format("ALTER EXTENSION vector SET SCHEMA {};", pgvector_.schema)));
            }
        }
        store::throw_problems(problems);
    }

    std::string place() const { return fmt::format(place_expression, shards_.size()); }

    void count_rows() {
        const pg::Result models = live_.exec(models_sql);
        if (models.empty()) {
            throw Error{ErrorCode::store_rejected, "No product of the catalog has a vector",
                        "Make them: decant embed, or decant migrate."};
        }
        model_ = models.text(0, 0);
        if (models.rows() > 1) {
            throw Error{
                ErrorCode::conflict,
                fmt::format("The catalog has vectors of {} models: {} of '{}', others of '{}'", models.rows(),
                            grouped(static_cast<std::uint64_t>(models.integer(0, 1))), model_, models.text(1, 0)),
                "Embed the others anew first: decant embed."};
        }
        for (Shard& shard : shards_)
            shard.rows = 0;
        rows_ = 0;
        const pg::Result counts = live_.exec(fmt::format(counts_sql, place()));
        for (int row = 0; row < counts.rows(); ++row) {
            const auto rows = static_cast<std::uint64_t>(counts.integer(row, 1));
            shards_.at(static_cast<std::size_t>(counts.integer(row, 0))).rows = rows;
            rows_ += rows;
        }
    }

    /// Of this catalog, all but those of the generation that is searched.
    void remove_parts(Shard& shard, const std::string& kept, std::vector<std::string>& removed) const {
        const pg::Result parts = shard.db.query(own_parts_sql, {store::shard_schema, own_.prefix()});
        for (int row = 0; row < parts.rows(); ++row) {
            const std::string name{parts.text(row, 0)};
            if (name == own_.prefix() + kept) continue;
            shard.db.exec(
                fmt::format("DROP TABLE IF EXISTS {}.{}", store::shard_schema, shard.db.quote_identifier(name)));
            removed.push_back(fmt::format("{} on {}", name, shard.server.address));
        }
    }

    /// Of one snapshot.
    void copy_rows() {
        pg::Transaction snapshot{live_, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"};
        count_rows();
        for (std::size_t number = 0; number < shards_.size(); ++number) {
            Shard& shard = shards_[number];
            step(fmt::format("copying {} products to {}", grouped(shard.rows), shard.server.address));
            shard.db.exec(fmt::format("CREATE EXTENSION IF NOT EXISTS vector SCHEMA {}; CREATE SCHEMA IF NOT EXISTS {}",
                                      pgvector_.schema, store::shard_schema));
            pg::Transaction tx{shard.db};
            shard.db.exec(fmt::format(part_sql, part(), vector_type()));
            pg::CopyIn in{shard.db, fmt::format(in_sql, part())};
            pg::CopyOut out{live_, fmt::format(out_sql, place(), number)};
            std::uint64_t rows = 0;
            while (const auto tuple = out.next()) {
                in.write(*tuple);
                ++rows;
            }
            in.finish();
            tx.commit();
            if (rows == shard.rows) continue;
            throw Error{ErrorCode::internal,
                        fmt::format("{} of {} products came to {}", rows, shard.rows, shard.server.address), ""};
        }
        snapshot.commit();
    }

    std::string vector_type() const {
        return fmt::format("{}({})", pgvector_.type(pg::VectorType::vector), dimension_);
    }

    std::uint64_t finish_part(Shard& shard) {
        step(fmt::format("building the index on {}", shard.server.address));
        const store::IndexPlan plan{.schema = store::shard_schema,
                                    .table = part_name(),
                                    .column = "embedding",
                                    .name = fmt::format("idx_{}", generation_),
                                    .dimension = dimension_,
                                    .rows = shard.rows};
        pg::Connection watcher = pg::Connection::open(shard.server.conninfo);
        const store::Pgvector pgvector = store::find_pgvector(shard.db).value();
        store::build_index({shard.db, watcher, store::size_build(shard.db, plan)},
                           store::create_index_sql(shard.db, pgvector, plan),
                           [&](const std::string&, std::uint64_t, std::uint64_t) { return request_.may_go_on(); });
        shard.db.exec(fmt::format("VACUUM (ANALYZE) {}", part()));
        return static_cast<std::uint64_t>(shard.db.query(size_sql, {part()}).integer(0, 0));
    }

    /// From its commit on this copy is the one that is searched.
    void publish() {
        step("making it the copy that is searched");
        pg::Transaction tx{live_};
        live_.exec("SET LOCAL lock_timeout = '10s'");
        detail::keep_out_of_the_log(live_);
        const pg::Result old = live_.query(old_servers_sql, {store::sharded_schema});
        live_.exec(fmt::format("CREATE EXTENSION IF NOT EXISTS postgres_fdw; CREATE SCHEMA IF NOT EXISTS {}",
                               store::sharded_schema));
        store::ShardedCatalog catalog{.generation = generation_,
                                      .model = model_,
                                      .dimension = dimension_,
                                      .rows = rows_,
                                      .made_at = std::string{live_.exec(now_sql).text(0, 0)},
                                      .shards = {}};
        for (std::size_t number = 0; number < shards_.size(); ++number) {
            const detail::ForeignShard foreign{.name = fmt::format("products_{}_{:02}", generation_, number + 1),
                                               .remote = part_name(),
                                               .ef_search = request_.ef_search,
                                               .vector_type = vector_type()};
            detail::make_foreign_shard(live_, shards_[number].server, foreign);
            reach(foreign, shards_[number]);
        }
        live_.exec(fmt::format("COMMENT ON SCHEMA {} IS {}", store::sharded_schema,
                               live_.quote_literal(store::description_of(catalog))));
        for (int row = 0; row < old.rows(); ++row)
            live_.exec(fmt::format("DROP SERVER {} CASCADE", live_.quote_identifier(old.text(row, 0))));
        tx.commit();
    }

    /// From the live database, which has its own way to the shard.
    void reach(const detail::ForeignShard& foreign, const Shard& shard) {
        try {
            live_.exec(
                fmt::format("SELECT FROM {}.{} LIMIT 1", store::sharded_schema, live_.quote_identifier(foreign.name)));
        } catch (const Error& error) {
            if (!pg::is_statement_error(error)) throw;
            throw Error{
                ErrorCode::store_rejected,
                fmt::format("The live database cannot read from {}: {}", shard.server.address, error.happened()),
                "The address, user and password must hold from the live database's machine too; nothing was "
                "changed there."};
        }
    }

    const ShardRequest& request_;
    pg::Connection live_;
    Identity own_;
    std::string generation_ = random_generation();
    store::Pgvector pgvector_;
    std::uint32_t dimension_ = 0;
    std::string model_;
    std::uint64_t rows_ = 0;
    std::vector<Shard> shards_;
};

}  // namespace

std::uint64_t shard_bytes(std::uint64_t rows, std::uint32_t dimension) noexcept {
    constexpr std::uint64_t page = 8192;
    constexpr std::uint64_t usable = 8160;
    constexpr std::uint64_t columns = 120;
    const std::uint64_t vector = 4UL * dimension + 8;
    const std::uint64_t elements_a_page = std::max<std::uint64_t>(1, usable / (vector + 72 + 208));
    return rows * (columns + vector + vector / 25 + page / elements_a_page);
}

ShardReport make_sharded_copy(const ShardRequest& request) {
    if (request.is_dry) return ShardCopy{request}.run();
    const OperationLock lock{request.conninfo, "schema shard"};
    return ShardCopy{request}.run();
}

bool drop_sharded_copy(const ShardRequest& request) {
    const OperationLock lock{request.conninfo, "schema shard"};
    pg::Connection live = pg::Connection::open(request.conninfo);
    const Identity own = identity_of(live);
    const pg::Result servers = live.query(old_servers_sql, {store::sharded_schema});
    pg::Transaction tx{live};
    live.exec("SET LOCAL lock_timeout = '10s'");
    for (int row = 0; row < servers.rows(); ++row)
        live.exec(fmt::format("DROP SERVER {} CASCADE", live.quote_identifier(servers.text(row, 0))));
    live.exec(fmt::format("DROP SCHEMA IF EXISTS {}", store::sharded_schema));
    tx.commit();
    bool was_there = !servers.empty();
    for (std::size_t number = 0; number < request.servers.size(); ++number) {
        pg::Connection db =
            pg::Connection::open(detail::read_shard_server(request.servers[number], number + 1).conninfo);
        const pg::Result parts = db.query(own_parts_sql, {store::shard_schema, own.prefix()});
        for (int row = 0; row < parts.rows(); ++row) {
            db.exec(fmt::format("DROP TABLE IF EXISTS {}.{}", store::shard_schema,
                                db.quote_identifier(parts.text(row, 0))));
            was_there = true;
        }
    }
    return was_there;
}

}  // namespace decant::operate
