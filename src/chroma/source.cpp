#include "chroma/source.hpp"

#include <fmt/format.h>

#include "chroma/directory.hpp"
#include "chroma/server.hpp"
#include "core/error.hpp"
#include "core/settings.hpp"
#include "net/url.hpp"

namespace decant::chroma {
namespace {

/// CHROMA_URL, unless CHROMA_PATH comes from a place that goes before it.
std::string named_source(const Settings& settings) {
    const auto url = settings.get("CHROMA_URL");
    const std::string path = settings.get("CHROMA_PATH").value_or("data/vector_db");
    if (!url) return path;
    const SettingOrigin of_url = settings.origin("CHROMA_URL");
    const SettingOrigin of_path = settings.origin("CHROMA_PATH");
    if (of_url == of_path) {
        throw Error{ErrorCode::config_invalid,
                    fmt::format("CHROMA_PATH and CHROMA_URL are both set ({})", name_of(of_url)),
                    "Keep one of them, or name the source with --from."};
    }
    return of_path < of_url ? path : *url;
}

}  // namespace

bool SourceAddress::is_server() const noexcept {
    return net::looks_like_url(from);
}

SourceAddress source_address(const Settings& settings, const std::optional<std::string>& from,
                             const CollectionName& wanted) {
    SourceAddress address{.from = from ? *from : named_source(settings)};
    if (!address.is_server()) return address;
    const net::Url url = net::parse_url(address.from, from ? "The source's URL" : "CHROMA_URL");
    const auto setting = [&](std::string_view key) { return settings.get(key).value_or(""); };
    address.from = url.text();
    address.tenant = wanted.tenant ? wanted.tenant : settings.get("CHROMA_TENANT");
    address.database = wanted.database ? wanted.database : settings.get("CHROMA_DATABASE");
    address.token = setting("CHROMA_TOKEN");
    address.token_header = setting("CHROMA_AUTH_HEADER");
    const bool names_user = !url.user.empty() || !url.password.empty();
    address.user = names_user ? url.user : setting("CHROMA_USER");
    address.password = names_user ? url.password : setting("CHROMA_PASSWORD");
    address.ca_file = setting("CHROMA_CA_FILE");
    if (!address.token.empty() && !address.user.empty()) {
        throw Error{ErrorCode::config_invalid, "A token and a user are both set for the Chroma server",
                    "Unset CHROMA_TOKEN, or CHROMA_USER and CHROMA_PASSWORD (or take the user out of the URL)."};
    }
    return address;
}

std::unique_ptr<Source> open_source(const SourceAddress& address) {
    if (address.is_server()) return open_server(address);
    return std::make_unique<Directory>(Directory::open(address.from));
}

}  // namespace decant::chroma
