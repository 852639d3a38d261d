#include "operate/postgres_tool.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/split_list.hpp"
#include "core/utf8.hpp"
#include "pg/conninfo.hpp"
#include "store/postgres_installation.hpp"

namespace decant::operate {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view debian_programs = "/usr/lib/postgresql";

std::vector<fs::path> folders_in_path() {
    const char* value = std::getenv("PATH");
    const auto parts = split_list(value == nullptr ? "" : value, ":");
    return {parts.begin(), parts.end()};
}

bool may_run(const fs::path& program) {
    std::error_code ignored;
    return fs::is_regular_file(program, ignored) && ::access(program.c_str(), X_OK) == 0;
}

std::vector<ProgramCall> candidates(std::string_view name, const std::optional<std::string>& named_installation) {
    std::vector<fs::path> folders = folders_in_path();
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator{debian_programs, ignored})
        folders.push_back(entry.path() / "bin");
    std::vector<ProgramCall> calls;
    for (const fs::path& folder : folders) {
        if (may_run(folder / name)) calls.push_back({.argv = {fs::absolute(folder / name).string()}});
    }
    try {
        calls.push_back(store::PostgresInstallation::find(named_installation).call(name, {}));
    } catch (const Error& error) {
        if (named_installation || error.code() != ErrorCode::store_unavailable) throw;
    }
    return calls;
}

/// "18.1" of "pg_dump (PostgreSQL) 18.1 (Debian …)"; empty where it does not say.
std::string version_of(ProgramCall call) {
    call.argv.emplace_back("--version");
    const ProgramResult said = run_program(call);
    constexpr std::string_view before = "(PostgreSQL) ";
    const std::size_t at = said.output.find(before);
    if (said.exit_code != 0 || at == std::string::npos) return {};
    const std::string rest = said.output.substr(at + before.size());
    return rest.substr(0, rest.find_first_of(" \n"));
}

Error tool_failure(const PostgresTool& tool, const std::string& said) {
    const auto says = [&](std::string_view words) { return said.find(words) != std::string::npos; };
    const std::string happened = fmt::format("{} {} failed: {}", tool.name, tool.version, printable(said));
    if (says("permission denied") || says("must be owner") || says("authentication failed")) {
        return {
            ErrorCode::permission_denied, happened,
            "Connect as the owner of the database or as a superuser; with `restore`, --no-owner makes everything the "
            "connected role's."};
    }
    if (says("lock timeout")) {
        return {ErrorCode::busy, happened, "Wait for what holds the lock, or end it, then run the same command again."};
    }
    if (says("connection") || says("server closed") || says("terminating")) {
        return {ErrorCode::store_unavailable, happened, "See that the server runs, then run the same command again."};
    }
    return {ErrorCode::store_rejected, happened, "Mend what it names, then run the same command again."};
}

/// The first error, without the statement that it was found in; else the last lines.
std::string reason_in(const std::string& said) {
    constexpr std::size_t most = 600;
    std::string words = said;
    if (const std::size_t error = said.find("error: "); error != std::string::npos) {
        words = said.substr(error + 7);
        words = words.substr(0, std::min(words.find("\nLINE "), words.find("\nCommand was: ")));
        words = words.substr(0, most);
    } else if (said.size() > most) {
        words = "… " + said.substr(said.size() - most);
    }
    while (!words.empty() && words.back() == '\n')
        words.pop_back();
    return words;
}

}  // namespace

int major_version(std::string_view version) noexcept {
    int major = 0;
    std::from_chars(version.data(), version.data() + version.size(), major);
    return major;
}

PostgresTool find_postgres_tool(std::string_view name, int least_major,
                                const std::optional<std::string>& named_installation) {
    std::string found;
    for (ProgramCall& call : candidates(name, named_installation)) {
        std::string version = version_of(call);
        if (major_version(version) >= least_major)
            return {.name = std::string{name}, .version = std::move(version), .call = std::move(call)};
        found += fmt::format("{}{} {}", found.empty() ? "" : ", ", call.argv.front(), version.empty() ? "?" : version);
    }
    throw Error{ErrorCode::not_found,
                fmt::format("There is no {} of PostgreSQL {} or newer, as this needs: {}", name, least_major,
                            found.empty() ? "none was found" : "found were " + found),
                fmt::format("Install the package postgresql-client-{}, or run scripts/setup.", least_major)};
}

void run_writer(ProgramCall call, const std::function<Error(const std::string& said)>& failure) {
    call.environment.emplace_back("LC_ALL=C");
    call.dies_with_caller = true;
    call.goes_on = [] { return !interrupted(); };
    const ProgramResult result = run_program(call);
    if (interrupted())
        throw Error{ErrorCode::cancelled, "Interrupted: nothing was kept", "Run the same command again."};
    if (result.exit_code == 0) return;
    const std::string said = reason_in(result.output);
    if (said.find("No space left on device") != std::string::npos ||
        said.find("Disk quota exceeded") != std::string::npos) {
        throw Error{
            ErrorCode::store_full,
            fmt::format("{} ran out of space: {}", fs::path{call.argv.front()}.filename().string(), printable(said)),
            "Free space, then run the same command again: nothing was kept of this one."};
    }
    throw failure(said.empty() ? fmt::format("exit code {}", result.exit_code) : said);
}

void run_postgres_tool(const PostgresTool& tool, const std::string& conninfo,
                       const std::vector<std::string>& arguments) {
    pg::Keywords keywords = pg::parse_conninfo(conninfo).value_or(pg::Keywords{});
    ProgramCall call = tool.call;
    if (const auto password = keywords.find("password"); password != keywords.end())
        call.environment.push_back("PGPASSWORD=" + password->second);
    for (const char* secret : {"password", "sslpassword", "oauth_client_secret"})
        keywords.erase(secret);
    call.argv.insert(call.argv.end(), {"-w", "-d", pg::conninfo_of(keywords)});
    call.argv.insert(call.argv.end(), arguments.begin(), arguments.end());
    call.directory = fs::current_path().string();
    run_writer(std::move(call), [&](const std::string& said) { return tool_failure(tool, said); });
}

std::string with_database(const std::string& conninfo, const std::string& database) {
    pg::Keywords keywords = pg::parse_conninfo(conninfo).value_or(pg::Keywords{});
    keywords["dbname"] = database;
    return pg::conninfo_of(keywords);
}

fs::path find_program(std::string_view name) {
    for (const fs::path& folder : folders_in_path()) {
        if (may_run(folder / name)) return fs::absolute(folder / name);
    }
    throw Error{ErrorCode::not_found, fmt::format("There is no program {} in PATH", name), "Install it."};
}

}  // namespace decant::operate
