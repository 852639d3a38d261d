#include "tests/support/chroma_server.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "net/http_client.hpp"
#include "tests/support/eventually.hpp"

namespace decant::test {
namespace {

using namespace std::chrono_literals;

int free_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    ::bind(fd, generic, size);
    ::getsockname(fd, generic, &size);
    ::close(fd);
    return ntohs(address.sin_port);
}

}  // namespace

ChromaServer::ChromaServer(const std::string& version, const std::filesystem::path& directory,
                           std::vector<std::string> environment)
    : port_(free_port()), url_(fmt::format("http://127.0.0.1:{}", port_)) {
    const std::string program =
        (std::filesystem::path{DECANT_SOURCE_DIR} / ".deps" / ("venv-" + version) / "bin/chroma").string();
    const std::string log = directory.string() + ".log";
    environment.push_back("ANONYMIZED_TELEMETRY=False");
    pid_ = ::fork();
    if (pid_ != 0) return;
    for (std::string& variable : environment)
        ::putenv(variable.data());
    // It writes a chroma.log into its working folder.
    if (::chdir(directory.parent_path().c_str()) != 0) ::_exit(1);
    if (::freopen(log.c_str(), "w", stdout) == nullptr || ::dup2(1, 2) < 0) ::_exit(1);
    ::execl(program.c_str(), "chroma", "run", "--path", directory.c_str(), "--host", "127.0.0.1", "--port",
            std::to_string(port_).c_str(), nullptr);
    ::_exit(127);
}

ChromaServer::~ChromaServer() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

bool ChromaServer::answers() const {
    return eventually(60s, [this] {
        try {
            net::HttpClient client{{.name = "Chroma", .url = net::parse_url(url_, "it"), .first_pause = 1ms}};
            return client.send({.path = "/api/v2/version", .tries = 1}).status < 500;
        } catch (const Error&) {
            return false;
        }
    });
}

}  // namespace decant::test
