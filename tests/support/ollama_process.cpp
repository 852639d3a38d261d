#include "tests/support/ollama_process.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "core/child_process.hpp"
#include "core/loopback_port.hpp"
#include "net/http_client.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/scratch_folder.hpp"

namespace decant::test {

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

OllamaProcess::OllamaProcess(std::string binary)
    : binary_(std::move(binary)),
      folder_(make_scratch_folder("ollama")),
      host_(fmt::format("127.0.0.1:{}", free_loopback_port())),
      environment_{"OLLAMA_HOST=" + host_} {}

// By way of the other constructor, so that the destructor ends the server when this throws.
OllamaProcess::OllamaProcess(std::string binary, bool has_own_home) : OllamaProcess(std::move(binary)) {
    if (has_own_home) environment_.push_back("HOME=" + folder_.string());
    pid_ = start_daemon({.argv = {binary_, "serve"}, .environment = environment_}, folder_ / "log");
    if (!eventually(std::chrono::seconds{30}, [&] { return is_up(); }))
        throw std::runtime_error("ollama serve does not come up");
}

OllamaProcess::~OllamaProcess() {
    if (pid_ > 0) {
        ::kill(pid_, SIGTERM);
        ::waitpid(pid_, nullptr, 0);
    }
    std::filesystem::remove_all(folder_);
}

bool OllamaProcess::is_up() const {
    try {
        net::HttpClient client{{.name = "Ollama", .url = net::parse_url(url(), "its URL")}};
        return client.send({.path = "/api/version", .tries = 1}).is_ok();
    } catch (const Error&) {
        return false;
    }
}

void OllamaProcess::create(const std::string& name, const std::string& gguf) const {
    std::ofstream{folder_ / "Modelfile"} << "FROM " << gguf << "\n";
    const ProgramResult made = run_program({.argv = {binary_, "create", name, "-f", folder_ / "Modelfile"},
                                            .environment = environment_,
                                            .directory = folder_});
    if (made.exit_code != 0) throw std::runtime_error("ollama create: " + made.output);
}

}  // namespace decant::test
