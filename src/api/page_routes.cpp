#include <map>
#include <mutex>

#include "api/gzip.hpp"
#include "api/routes.hpp"
#include "core/error.hpp"
#include "web/page.hpp"

namespace decant::api {
namespace {

constexpr std::string_view page_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: data:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'";

const Shape file_path{
    .name = "PageFilePath",
    .fields = {{.name = "version", .required = true, .most = 100}, {.name = "file", .required = true, .most = 100}}};

std::vector<std::pair<std::string, std::string>> page_headers(std::string_view name, std::string cache_control) {
    return {{"Content-Type", std::string{web::media_type(name)}},
            {"Cache-Control", std::move(cache_control)},
            {"Content-Security-Policy", std::string{page_policy}},
            {"Referrer-Policy", "no-referrer"},
            {"Cross-Origin-Opener-Policy", "same-origin"}};
}

/// Each file is compressed when it is first asked for.
class PackedFiles {
public:
    std::shared_ptr<const std::string> get(const web::File& file) {
        const std::lock_guard lock{mutex_};
        std::shared_ptr<const std::string>& packed = packed_[&file];
        if (!packed) packed = std::make_shared<const std::string>(gzip(file.bytes, Compression::best));
        return packed;
    }

private:
    std::mutex mutex_;
    std::map<const web::File*, std::shared_ptr<const std::string>> packed_;
};

Reply page_file(const Call& call, PackedFiles& packed) {
    const web::File* file = call.path[0] == web::page_version() ? web::find_file(call.path[1]) : nullptr;
    if (file == nullptr)
        throw Error{ErrorCode::not_found, "The page has no such file, or has another version now",
                    "Open / again for the page as it is now."};
    return {.headers = page_headers(file->name, "public, max-age=31536000, immutable"),
            .text = std::string{file->bytes},
            .packed = packed.get(*file)};
}

}  // namespace

std::vector<Route> page_routes(Services& services) {
    const auto page = [&services](Call& call) -> Reply {
        const web::Visitor visitor{.accept_language = net::header(call.request().headers, "accept-language"),
                                   .needs_key = !services.is_open()};
        std::vector<std::pair<std::string, std::string>> headers = page_headers("index.html", "no-cache");
        headers.emplace_back("Vary", "Accept-Language");
        return {.headers = std::move(headers), .text = web::index_for(visitor)};
    };
    const auto file = [packed = std::make_shared<PackedFiles>()](Call& call) { return page_file(call, *packed); };
    return {{.method = "GET",
             .path = "/",
             .id = "page",
             .group = page_group,
             .summary = "The web page",
             .lane = LaneKind::immediate,
             .produces = "text/html",
             .handle = page},
            {.method = "GET",
             .path = "/page/{version}/{file}",
             .id = "pageFile",
             .group = page_group,
             .summary = "A file of the web page; the page names them",
             .lane = LaneKind::immediate,
             .path_shape = &file_path,
             .refusals = {404},
             .produces = "application/octet-stream",
             .handle = file}};
}

}  // namespace decant::api
