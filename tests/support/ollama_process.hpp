#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace decant::test {

/// A variable of the environment; empty where it is not set.
std::string variable(const char* name);

/// `ollama serve` on a free port, ended with this object.
class OllamaProcess {
public:
    /// With `has_own_home` it has no models and no key but its own. Throws std::runtime_error when it does not come up.
    OllamaProcess(std::string binary, bool has_own_home);
    OllamaProcess(const OllamaProcess&) = delete;
    OllamaProcess& operator=(const OllamaProcess&) = delete;
    ~OllamaProcess();

    std::string url() const { return "http://" + host_; }
    /// Makes a model of a GGUF file. Nothing is fetched.
    void create(const std::string& name, const std::string& gguf) const;

private:
    explicit OllamaProcess(std::string binary);
    bool is_up() const;

    std::string binary_;
    std::filesystem::path folder_;
    std::string host_;
    std::vector<std::string> environment_;
    pid_t pid_ = -1;
};

}  // namespace decant::test
