#include "cli/running_server.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <unistd.h>

#include <boost/json/parse.hpp>

#include "core/json_members.hpp"
#include "core/log.hpp"
#include "store/cluster_place.hpp"

namespace decant::cli {
namespace {

namespace fs = std::filesystem;

fs::path notice_path(const Settings& settings) {
    return store::find_cluster_place(settings.get("DECANT_HOME"), fs::current_path()).home / "serve.json";
}

std::string content_of(const fs::path& path) {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

bool is_alive(const json::object& notice) {
    const json::value* pid = notice.if_contains("pid");
    return pid != nullptr && pid->is_int64() && pid->get_int64() > 0 &&
           (::kill(static_cast<pid_t>(pid->get_int64()), 0) == 0 || errno == EPERM);
}

}  // namespace

std::optional<RunningServer> find_running_server(const Settings& settings) {
    json::error_code failed;
    const json::value notice = json::parse(content_of(notice_path(settings)), failed);
    if (failed || !notice.is_object() || !is_alive(notice.get_object())) return std::nullopt;
    const auto url = text_member(notice.get_object(), "url");
    const auto token = text_member(notice.get_object(), "token");
    if (!url || !token) return std::nullopt;
    return RunningServer{*url, *token};
}

ServerNotice::ServerNotice(const Settings& settings, const RunningServer& server)
    : path_(notice_path(settings)),
      content_(json_text({{"url", server.url}, {"pid", ::getpid()}, {"token", server.token}}) + "\n") {
    std::error_code ignored;
    fs::create_directories(fs::path{path_}.parent_path(), ignored);
    const std::string beside = path_ + ".new";
    const int file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    const bool is_written =
        file >= 0 && ::write(file, content_.data(), content_.size()) == static_cast<ssize_t>(content_.size());
    if (file >= 0) ::close(file);
    if (!is_written || ::rename(beside.c_str(), path_.c_str()) != 0)
        log::warning("{} cannot be written: `decant search` will load the model itself", path_);
}

ServerNotice::~ServerNotice() {
    // Another server may have taken its place.
    if (content_of(path_) == content_) ::unlink(path_.c_str());
}

}  // namespace decant::cli
