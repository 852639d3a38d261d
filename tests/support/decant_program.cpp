#include "tests/support/decant_program.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace decant::test {
namespace {

namespace fs = std::filesystem;

double now_seconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string content_of(const fs::path& path) {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

fs::path new_file(const fs::path& folder) {
    std::string pattern = (folder / ".said-XXXXXX").string();
    const int file = ::mkstemp(pattern.data());
    if (file < 0) throw std::runtime_error("cannot make " + pattern);
    ::close(file);
    return pattern;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (std::string& text : texts)
        pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

/// This process's environment without what would name another server or change decant's answers. Nothing is embedded
/// unless a test says with what.
std::vector<std::string> clean_environment(const std::vector<std::string>& on_top) {
    std::vector<std::string> all = on_top;
    const auto names_one = [](const std::string& entry) {
        return entry.starts_with("DECANT_EMBEDDER=") || entry.starts_with("OLLAMA_");
    };
    if (std::ranges::none_of(on_top, names_one)) all.emplace_back("DECANT_EMBEDDER=none");
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text = *entry;
        bool is_kept = true;
        for (const std::string_view prefix :
             {"PG", "DATABASE_URL=", "DB_", "DECANT_", "CHROMA_", "LOG_", "USE_PGVECTOR=", "OLLAMA_", "OPENAI_"})
            is_kept = is_kept && !text.starts_with(prefix);
        if (is_kept) all.emplace_back(text);
    }
    return all;
}

int code_of(int status) {
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

boost::json::value Outcome::json() const {
    boost::system::error_code failed;
    boost::json::value value = boost::json::parse(out, failed);
    if (failed) throw std::runtime_error("no JSON on standard output: " + told());
    return value;
}

std::string Outcome::told() const {
    return fmt::format("exit {} after {:.3f} s\n{}{}", exit_code, seconds, out, err);
}

RunningDecant::RunningDecant(const Start& start)
    : started_(now_seconds()), out_(new_file(start.folder)), err_(new_file(start.folder)) {
    std::vector<std::string> argv_texts = start.arguments;
    argv_texts.insert(argv_texts.begin(), DECANT_BINARY);
    argv_texts.insert(argv_texts.begin(), start.under.begin(), start.under.end());
    std::vector<std::string> env_texts = clean_environment(start.environment);
    const std::vector<char*> argv = pointers_to(argv_texts);
    const std::vector<char*> env = pointers_to(env_texts);
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("cannot fork");
    if (pid_ > 0) return;
    ::dup2(::open("/dev/null", O_RDONLY), STDIN_FILENO);
    ::dup2(::open(out_.c_str(), O_WRONLY), STDOUT_FILENO);
    ::dup2(::open(err_.c_str(), O_WRONLY | O_APPEND), STDERR_FILENO);
    if (::chdir(start.folder.c_str()) == 0) ::execve(argv.front(), argv.data(), env.data());
    ::_exit(126);
}

RunningDecant::RunningDecant(RunningDecant&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      status_(other.status_),
      started_(other.started_),
      out_(std::move(other.out_)),
      err_(std::move(other.err_)) {}

RunningDecant::~RunningDecant() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

bool RunningDecant::has_ended() {
    if (pid_ > 0 && ::waitpid(pid_, &status_, WNOHANG) == pid_) pid_ = -1;
    return pid_ <= 0;
}

void RunningDecant::signal(int number) const {
    if (pid_ > 0) ::kill(pid_, number);
}

Outcome RunningDecant::wait() {
    while (pid_ > 0 && ::waitpid(pid_, &status_, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return {.exit_code = code_of(status_),
            .out = content_of(out_),
            .err = content_of(err_),
            .seconds = now_seconds() - started_};
}

std::string RunningDecant::out() const {
    return content_of(out_);
}

std::string RunningDecant::err() const {
    return content_of(err_);
}

DecantProgram::DecantProgram(std::string conninfo) : conninfo_(std::move(conninfo)) {
    std::string pattern = (fs::temp_directory_path() / "decant-run-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make " + pattern);
    folder_ = pattern;
}

DecantProgram::~DecantProgram() {
    fs::remove_all(folder_);
}

Outcome DecantProgram::run(const std::vector<std::string>& arguments,
                           const std::vector<std::string>& environment) const {
    return start(arguments, environment).wait();
}

Outcome DecantProgram::run_under(const std::vector<std::string>& other,
                                 const std::vector<std::string>& arguments) const {
    std::vector<std::string> all = arguments;
    all.insert(all.end(), {"--db", conninfo_});
    return RunningDecant{{.arguments = std::move(all), .environment = {}, .folder = folder_, .under = other}}.wait();
}

RunningDecant DecantProgram::start(const std::vector<std::string>& arguments,
                                   const std::vector<std::string>& environment) const {
    std::vector<std::string> all = arguments;
    all.insert(all.end(), {"--db", conninfo_});
    return RunningDecant{{.arguments = std::move(all), .environment = environment, .folder = folder_}};
}

}  // namespace decant::test
