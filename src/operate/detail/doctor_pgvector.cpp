#include <fmt/format.h>

#include <array>
#include <charconv>

#include "operate/detail/check.hpp"
#include "store/server_check.hpp"

namespace decant::operate::detail {
namespace {

constexpr std::string_view update_sql = "ALTER EXTENSION vector UPDATE;";
constexpr std::string_view path_sql =
    "SELECT pg_catalog.concat_ws(', ', nullif(pg_catalog.current_setting('search_path'), ''), $1::text)";

/// "0.8.1" is 801.
int number_of(std::string_view version) {
    int number = 0;
    for (int part = 0; part < 3; ++part) {
        int value = 0;
        const auto end = std::from_chars(version.data(), version.data() + version.size(), value).ptr;
        number = number * 100 + value;
        version.remove_prefix(static_cast<std::size_t>(end - version.data()));
        if (!version.empty()) version.remove_prefix(1);
    }
    return number;
}

Finding look_installed(Examination& patient) {
    pg::Connection& db = patient.db();
    const store::ServerFacts facts = store::read_server_facts(db);
    if (facts.pgvector)
        return ok(
            fmt::format("pgvector {} is installed in schema {}", facts.pgvector->version, facts.pgvector->schema));
    const Error problem = store::find_server_problems(db, facts, true).back();
    if (!facts.available || !facts.may_create_extension) return failure(problem.happened(), problem.remedy());
    return failure(problem.happened(), problem.remedy(),
                   statement(patient, true, "install the extension vector", "CREATE EXTENSION IF NOT EXISTS vector"));
}

/// Versions before `least` have a fault, which `fault` tells.
struct Fault {
    std::string_view least;
    std::string_view fault;
    CheckState state = CheckState::warning;
};

Finding judge(Examination& patient, const Fault& fault) {
    const std::string version = patient.pgvector().version;
    if (number_of(version) >= number_of(fault.least)) return ok(fmt::format("pgvector {}", version));
    pg::Connection& db = patient.db();
    const std::optional<std::string> package = store::read_server_facts(db).available;
    const std::string update = store::psql_call(db, update_sql);
    Finding finding{.state = fault.state, .found = fmt::format("pgvector {}: {}", version, fault.fault)};
    if (package && number_of(*package) >= number_of(fault.least)) {
        finding.remedy = update;
        finding.mend = statement(patient, false, fmt::format("update the extension vector to {}", *package),
                                 std::string{update_sql});
    } else {
        finding.remedy = fmt::format(
            "Install pgvector {} or newer on the server (Debian, Ubuntu: "
            "postgresql-{}-pgvector), then: {}",
            fault.least, db.server_version() / 10'000, update);
    }
    return finding;
}

Finding look_version(Examination& patient) {
    return judge(patient, {.least = "0.8.0",
                           .fault = "decant needs 0.8.0 or newer, whose index scan goes on past rows that a filter "
                                    "throws out",
                           .state = CheckState::failure});
}

Finding look_security(Examination& patient) {
    return judge(patient, {.least = "0.8.2",
                           .fault = "a parallel build of an HNSW index may read or write past its memory "
                                    "(CVE-2026-3172), which 0.8.2 mends"});
}

Finding look_vacuum(Examination& patient) {
    return judge(patient,
                 {.least = "0.8.4", .fault = "VACUUM may leave an HNSW index damaged, which 0.8.3 and 0.8.4 mend"});
}

Finding look_schema(Examination& patient) {
    const store::Pgvector& pgvector = patient.pgvector();
    if (pgvector.is_in_search_path) return ok(fmt::format("schema {} is searched", pgvector.schema));
    pg::Connection& db = patient.db();
    const std::string path{db.query(path_sql, {pgvector.schema}).text(0, 0)};
    const std::string sql =
        fmt::format("ALTER DATABASE {} SET search_path = {};", db.quote_identifier(db.database()), path);
    return warning(fmt::format("pgvector is in schema {}, which search_path does not name", pgvector.schema),
                   store::psql_call(db, sql), statement(patient, false, "put it into the database's search_path", sql));
}

constexpr std::array checks{
    Check{"pgvector.installed", "Vectors are stored, indexed and compared by it.", look_installed},
    Check{"pgvector.version", "Filtered searches rely on its iterative scan.", look_version},
    Check{"pgvector.security", "Who may write vectors could crash the server, or read its memory.", look_security},
    Check{"pgvector.vacuum", "A damaged index misses products, and says nothing.", look_vacuum},
    Check{"pgvector.schema", "decant qualifies its names; SQL of others (psql, the guide's) does not.", look_schema},
};

}  // namespace

std::span<const Check> pgvector_checks() noexcept {
    return checks;
}

}  // namespace decant::operate::detail
