#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace decant::test {

/// `chroma run` of one version of chromadb, which scripts/make-venv installed, on a directory and a free port. Its log
/// is beside the directory. Ends with this object.
class ChromaServer {
public:
    ChromaServer(const std::string& version, const std::filesystem::path& directory,
                 std::vector<std::string> environment = {});
    ChromaServer(const ChromaServer&) = delete;
    ChromaServer& operator=(const ChromaServer&) = delete;
    ~ChromaServer();

    const std::string& url() const noexcept { return url_; }

    /// Waits until it does, a minute at most.
    bool answers() const;

private:
    int port_;
    std::string url_;
    pid_t pid_ = -1;
};

}  // namespace decant::test
