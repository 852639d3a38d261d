#include "store/cluster_maker.hpp"

#include <fmt/format.h>

#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/error.hpp"
#include "store/cluster_sizing.hpp"
#include "store/password_file.hpp"

namespace decant::store {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view unfinished_prefix = "data.new.";

ProgramResult run_as_server(ProgramCall call, const ClusterPlace& place) {
    call.account = place.server.account;
    call.dies_with_caller = true;
    return run_program(call);
}

Error not_made(const ClusterPlace& place, const std::string& output) {
    return Error{ErrorCode::store_unavailable,
                 fmt::format("The embedded server's data folder {} cannot be made: {}", place.data().string(), output),
                 "see that the disk has 100 MB free, then run decant db start again"};
}

/// Written by the server's account: root would follow a link that this account had laid.
void write_as_server(const ClusterPlace& place, const fs::path& file, const std::string& text) {
    const ProgramResult result =
        run_as_server({.argv = {"/bin/sh", "-c", R"(cat >"$0")", file.string()}, .input = text}, place);
    if (result.exit_code != 0) throw not_made(place, result.output);
}

/// The system's accounts that may be that role by the Unix socket.
std::string ident_map(const ClusterPlace& place) {
    std::string text = "# MAPNAME SYSTEM-USERNAME PG-USERNAME\n";
    for (const std::string& account : std::set<std::string>{"root", place.server.name, own_account_name()})
        text += fmt::format("local \"{}\" {}\n", account, cluster_user);
    return text;
}

/// Of runs that were killed. What their last programs still write goes into a folder that nobody uses.
void remove_unfinished(const ClusterPlace& place) {
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator{place.cluster, failed}) {
        if (entry.path().filename().string().starts_with(unfinished_prefix)) fs::remove_all(entry.path(), failed);
    }
}

/// In single-user mode each line is a statement, and a failed one does not show in the exit code.
void run_single_user(const ClusterPlace& place, ProgramCall call, const std::string& statements) {
    call.input = statements;
    const ProgramResult result = run_as_server(std::move(call), place);
    const bool is_failed = result.exit_code != 0 || result.output.find("ERROR:") != std::string::npos;
    if (is_failed) throw not_made(place, result.output);
}

}  // namespace

void make_cluster(const PostgresInstallation& postgres, const ClusterPlace& place, const std::string& password) {
    remove_unfinished(place);
    const fs::path data = place.cluster / fmt::format("{}{}", unfinished_prefix, random_password().substr(0, 8));
    const ProgramResult made = run_as_server(
        postgres.call("initdb", {"-D", data.string(), "-U", cluster_user, "-E", "UTF8", "--locale=C.UTF-8",
                                 "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--auth-local=peer",
                                 "--auth-host=reject", "--no-instructions"}),
        place);
    if (made.exit_code != 0) throw not_made(place, made.output);
    const ProgramResult included = run_as_server(
        {.argv = {"/bin/sh", "-c", R"(echo "include_if_exists = 'decant.conf'" >>"$0")", data / "postgresql.conf"}},
        place);
    if (included.exit_code != 0) throw not_made(place, included.output);
    write_as_server(place, data / "pg_hba.conf",
                    "local all all peer map=local\n"
                    "host all all 127.0.0.1/32 scram-sha-256\n");
    write_as_server(place, data / "pg_ident.conf", ident_map(place));
    // In single-user mode objects get oids of initdb's range, and pg_dump leaves an extension with such a one out.
    const ProgramResult counted =
        run_as_server(postgres.call("pg_resetwal", {"-o", "16384", "-D", data.string()}), place);
    if (counted.exit_code != 0) throw not_made(place, counted.output);
    run_single_user(
        place, postgres.call("postgres", {"--single", "-D", data.string(), "template1"}),
        fmt::format("ALTER ROLE {} PASSWORD '{}'\nCREATE DATABASE {}\n", cluster_user, password, cluster_database));
    run_single_user(place, postgres.call("postgres", {"--single", "-D", data.string(), cluster_database}),
                    "CREATE EXTENSION vector\n");
    fs::rename(data, place.data());
}

void configure_cluster(const ClusterPlace& place, int port, const fs::path& socket_folder) {
    const std::string own = fmt::format(
        "# Written at each start by `decant db start`; change settings with ALTER SYSTEM.\n"
        "listen_addresses = '127.0.0.1'\n"
        "port = {}\n"
        "unix_socket_directories = '{}'\n"
        "unix_socket_permissions = 0700\n"
        "password_encryption = 'scram-sha-256'\n",
        port, socket_folder.string());
    write_as_server(place, place.data() / "decant.conf", own + sized_configuration(measure_machine(place.cluster)));
}

}  // namespace decant::store
