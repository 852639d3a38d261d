#include <fmt/format.h>

#include <array>
#include <cmath>
#include <filesystem>

#include "core/quantity_text.hpp"
#include "operate/detail/check.hpp"
#include "store/server_check.hpp"

namespace decant::operate::detail {
namespace {

using std::chrono::duration;

constexpr double most_seconds_apart = 5;
constexpr std::uint64_t least_free_bytes = 100UL << 20U;
constexpr double least_free_share = 0.05;

constexpr std::string_view clock_sql = "SELECT extract(epoch FROM pg_catalog.clock_timestamp())";

// data_directory is shown to roles that may read all settings.
constexpr std::string_view folders_sql = R"sql(
SELECT pg_catalog.current_setting('data_directory'), pg_catalog.pg_indexes_size(pg_catalog.to_regclass('products'))
UNION ALL
SELECT location, 0 FROM (SELECT pg_catalog.pg_tablespace_location(oid) AS location FROM pg_catalog.pg_tablespace) t
WHERE location <> '')sql";

Finding look_connection(Examination& patient) {
    try {
        patient.connect();
    } catch (const Error& error) {
        return failure(error.happened(), error.remedy());
    }
    const pg::Connection& db = patient.db();
    return ok(fmt::format("PostgreSQL answers at {}:{}, database '{}', role '{}'", db.host(), db.port(), db.database(),
                          db.user()));
}

/// What keeps decant from working on this server, of one code.
std::optional<Error> server_problem(Examination& patient, ErrorCode code) {
    store::ServerFacts facts = store::read_server_facts(patient.db());
    facts.pgvector = store::Pgvector{.schema = "", .version = "99.0.0"};  // its checks come later
    for (const Error& problem : store::find_server_problems(patient.db(), facts, false)) {
        if (problem.code() == code) return problem;
    }
    return std::nullopt;
}

Finding look_version(Examination& patient) {
    if (const auto problem = server_problem(patient, ErrorCode::store_rejected))
        return failure(problem->happened(), problem->remedy());
    const int version = patient.db().server_version();
    return ok(fmt::format("PostgreSQL {}.{}", version / 10'000, version % 10'000));
}

Finding look_writable(Examination& patient) {
    if (const auto problem = server_problem(patient, ErrorCode::store_unavailable))
        return failure(problem->happened(), problem->remedy());
    return ok("The server takes writes");
}

Finding look_clock(Examination& patient) {
    const double before = duration<double>(patient.request().now().time_since_epoch()).count();
    const double server = patient.db().exec(clock_sql).real(0, 0);
    const double after = duration<double>(patient.request().now().time_since_epoch()).count();
    const double apart = server < before ? before - server : std::max(0.0, server - after);
    if (apart <= most_seconds_apart) return ok(fmt::format("The server's clock is ours, to {:.1f} s", apart));
    return warning(
        fmt::format("The server's clock is {:.0f} s {} this machine's", apart, server < before ? "behind" : "ahead of"),
        "Let both follow a time server: timedatectl set-ntp true");
}

Finding look_disk(Examination& patient) {
    pg::Connection& db = patient.db();
    if (!db.is_local()) return skipped("The server is on another machine", "Look there: df -h");
    const pg::Result folders = db.exec(folders_sql);
    const std::uint64_t rebuild = folders.is_null(0, 1) ? 0 : static_cast<std::uint64_t>(folders.integer(0, 1));
    std::string least;
    for (int row = 0; row < folders.rows(); ++row) {
        const std::string folder{folders.text(row, 0)};
        std::error_code failed;
        const std::filesystem::space_info space = std::filesystem::space(folder, failed);
        if (failed) return skipped(fmt::format("{} cannot be looked at: {}", folder, failed.message()));
        const std::string told =
            fmt::format("{} free of {} in {}", bytes_text(space.available), bytes_text(space.capacity), folder);
        const std::string remedy = fmt::format("Free space: du -xh --max-depth=2 {} | sort -h | tail", folder);
        if (space.available < least_free_bytes) return failure(told, remedy);
        if (static_cast<double>(space.available) < least_free_share * static_cast<double>(space.capacity))
            return warning(told, remedy);
        if (row == 0 && space.available < rebuild) {
            return warning(fmt::format("{}; the indexes of products take {}, and as much again while they are rebuilt",
                                       told, bytes_text(rebuild)),
                           remedy);
        }
        least += (least.empty() ? "" : ", ") + told;
    }
    return ok(least);
}

constexpr std::array checks{
    Check{"connection", "Everything decant does needs the database.", look_connection},
    Check{"server.version", "decant's statements need PostgreSQL 15; older ones get no fixes either.", look_version},
    Check{"server.writable", "Syncs, embeddings and traces are written; a standby only answers searches.",
          look_writable},
    Check{"server.clock", "Leases, tokens and the age of vectors are told by both clocks.", look_clock},
    Check{"server.disk", "A full disk stops every write, and PostgreSQL with it.", look_disk},
};

}  // namespace

std::span<const Check> server_checks() noexcept {
    return checks;
}

}  // namespace decant::operate::detail
