#include "chroma/detail/server_api.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <tuple>
#include <utility>

#include "chroma/detail/configuration.hpp"
#include "core/error.hpp"
#include "core/json.hpp"
#include "core/utf8.hpp"

namespace decant::chroma::detail {
namespace {

constexpr std::string_view default_tenant = "default_tenant";
constexpr std::string_view default_database = "default_database";
constexpr std::size_t collections_a_page = 100;
constexpr std::size_t most_message_bytes = 300;

net::HttpService service_of(const SourceAddress& address) {
    net::HttpService service{.name = "The Chroma server",
                             .url = net::parse_url(address.from, "The source"),
                             .ca_file = address.ca_file,
                             .ca_setting = "CHROMA_CA_FILE",
                             .unavailable_remedy =
                                 "Start it with `chroma run`, or give the URL that it listens on; "
                                 "then run the same command again."};
    service.url.user = address.user;
    service.url.password = address.password;
    if (address.token.empty()) return service;
    const bool is_hosted = service.url.host.ends_with(".trychroma.com");
    const std::string header = !address.token_header.empty() ? address.token_header
                               : is_hosted                   ? "X-Chroma-Token"
                                                             : "Authorization";
    const std::string_view scheme = header == "Authorization" ? "Bearer " : "";
    service.headers.push_back(fmt::format("{}: {}{}", header, scheme, address.token));
    return service;
}

std::string text_of(const Json& object, std::string_view name) {
    const Json* member = object.find(name);
    return member != nullptr && member->text() != nullptr ? *member->text() : "";
}

/// What the server says in an error, in one of its three forms.
std::string message_of(const std::string& body) {
    const auto root = parse_json(body);
    std::string message = root ? text_of(*root, "message") : "";
    if (message.empty() && root) message = text_of(*root, "error");
    if (message.empty() && root) message = text_of(*root, "detail");
    if (message.empty()) message = body;
    if (message.size() > most_message_bytes) message = message.substr(0, most_message_bytes) + "…";
    return printable(message);
}

/// configuration_json of 0.5.4 to 0.6.3 ("hnsw_configuration") says l2 of collections that are not: passed over.
std::optional<Space> space_of(const Json& collection) {
    for (const std::string_view index : {"hnsw", "spann"}) {
        const Json* found = find_path(collection, {"configuration_json", index, "space"});
        if (found != nullptr && found->text() != nullptr) return parse_space(*found->text());
    }
    const Json* found = find_path(collection, {"metadata", "hnsw:space"});
    return found != nullptr && found->text() != nullptr ? parse_space(*found->text()) : Space::l2;
}

/// Before 0.4.15 asking for uris is an error.
bool has_uris(std::string_view version) {
    constexpr std::string_view old = "0.4.";
    unsigned patch = 15;
    if (version.starts_with(old)) std::from_chars(version.data() + old.size(), version.data() + version.size(), patch);
    return patch >= 15;
}

Collection collection_of(const Json& json) {
    Collection collection{
        .tenant = text_of(json, "tenant"),
        .database = text_of(json, "database"),
        .name = text_of(json, "name"),
        .id = text_of(json, "id"),
        .space = space_of(json),
        .embedding_function = describe_function(find_path(json, {"configuration_json", "embedding_function"}))};
    const Json* dimension = json.find("dimension");
    const auto* number = dimension != nullptr ? std::get_if<std::int64_t>(&dimension->value) : nullptr;
    if (number != nullptr && *number > 0) collection.dimension = static_cast<std::uint32_t>(*number);
    return collection;
}

/// 0.x answers so where its index reaches fewer records than were asked for.
bool is_past_index(const net::HttpResponse& response) {
    return response.status == 500 && response.body.find("ef or M is too small") != std::string::npos;
}

std::string joined(std::string_view path, std::string_view query) {
    return query.empty() ? std::string{path}
                         : fmt::format("{}{}{}", path, path.find('?') < path.size() ? '&' : '?', query);
}

}  // namespace

ServerApi::ServerApi(const SourceAddress& address, const net::HttpLimits& limits)
    : address_(address), client_(service_of(address)) {
    client_.limit(limits);
    detect_version();
}

/// 0.5 and 0.6 answer some paths of v2 too, with their own version.
void ServerApi::detect_version() {
    for (const bool is_v2 : {true, false}) {
        const std::string path = is_v2 ? "/api/v2/version" : "/api/v1/version";
        const net::HttpResponse response = client_.send({.path = path});
        if (!response.is_ok()) {
            const bool is_absent = response.status == 404 || response.status == 405 || response.status == 410;
            if (is_absent && is_v2) continue;
            throw_refusal(response, path);
        }
        const auto json = parse_json(response.body);
        if (!json || json->text() == nullptr) break;
        version_ = *json->text();
        is_v2_ = is_v2;
        has_uris_ = has_uris(version_);
        if (!is_v2 || !version_.starts_with("0.")) return;
    }
    throw Error{ErrorCode::source_unreadable, fmt::format("{} answers, but not as a Chroma server", url()),
                "Give the part of the URL that stands before /api/, as in http://localhost:8000."};
}

Json ServerApi::ask(const std::string& path) {
    const net::HttpResponse response =
        client_.send({.path = path, .is_whole = [](std::string& body) { return parse_json(body).has_value(); }});
    if (!response.is_ok()) throw_refusal(response, path);
    return *parse_json(response.body);
}

void ServerApi::throw_refusal(const net::HttpResponse& response, const std::string& path) const {
    const std::string happened = fmt::format("The Chroma server at {} answers {} to {}: {}", url(), response.status,
                                             path, message_of(response.body));
    const bool has_credentials = !address_.token.empty() || !address_.user.empty();
    switch (response.status) {
        case 401:
        case 403:
            throw Error{response.status == 401 ? ErrorCode::unauthenticated : ErrorCode::permission_denied, happened,
                        has_credentials
                            ? "Check CHROMA_TOKEN (or CHROMA_USER and CHROMA_PASSWORD); the header that carries the "
                              "token is set by CHROMA_AUTH_HEADER."
                            : "Set CHROMA_TOKEN, or CHROMA_USER and CHROMA_PASSWORD."};
        case 404:
            throw Error{ErrorCode::not_found, happened,
                        fmt::format("See what the server has with `decant inspect {}`.", url())};
        case 413:
            throw Error{ErrorCode::too_large, happened, "Ask for less at once."};
        case 429:
            throw Error{ErrorCode::rate_limited, happened, "Run the same command again later."};
        default:
            break;
    }
    // 500 is a fault of the server itself, which several tries did not get over.
    if (response.status > 500) {
        throw Error{ErrorCode::source_unavailable, happened,
                    "Look at the server's log; then run the same command again."};
    }
    if (response.status >= 300 && response.status < 400) {
        const auto to = response.headers.find("location");
        throw Error{ErrorCode::source_unreadable, happened,
                    fmt::format("Redirects are not followed; give the URL that is meant{}.",
                                to == response.headers.end() ? "" : ", as in " + printable(to->second))};
    }
    // Chroma Cloud limits how much a request may ask for.
    if (response.body.find("uota") != std::string::npos || is_past_index(response)) {
        throw Error{ErrorCode::too_large, happened, "Ask for less at once."};
    }
    // v1 calls a missing collection a bad request.
    if (response.body.find("InvalidCollection") != std::string::npos) {
        throw Error{ErrorCode::not_found, happened,
                    fmt::format("See what the server has with `decant inspect {}`.", url())};
    }
    throw Error{ErrorCode::source_unreadable, happened, "Look at the server's log, or copy from its directory."};
}

std::string ServerApi::path_of(const Place& place, std::string_view rest, std::string_view query) const {
    const std::string tenant = net::url_segment(place.tenant);
    const std::string database = net::url_segment(place.database);
    if (is_v2_) return joined(fmt::format("/api/v2/tenants/{}/databases/{}{}", tenant, database, rest), query);
    return joined(fmt::format("/api/v1{}?tenant={}&database={}", rest, tenant, database), query);
}

std::vector<ServerApi::Place> ServerApi::places() {
    Place place{address_.tenant.value_or(std::string{default_tenant}),
                address_.database.value_or(std::string{default_database})};
    if (is_v2_ && !address_.tenant) {
        const net::HttpResponse identity = client_.send({.path = "/api/v2/auth/identity"});
        const auto json = identity.is_ok() ? parse_json(identity.body) : std::nullopt;
        const std::string tenant = json ? text_of(*json, "tenant") : "";
        if (!tenant.empty() && tenant != "*") place.tenant = tenant;
    }
    if (address_.tenant || address_.database) require_place(place);
    if (address_.database || !is_v2_) return {place};
    const Json databases = ask(fmt::format("/api/v2/tenants/{}/databases", net::url_segment(place.tenant)));
    std::vector<Place> places;
    if (const auto* list = std::get_if<JsonArray>(&databases.value)) {
        for (const Json& database : *list)
            places.push_back({place.tenant, text_of(database, "name")});
    }
    return places;
}

/// An unknown tenant or database lists no collections, as if it were empty.
void ServerApi::require_place(const Place& place) {
    const std::string tenant = net::url_segment(place.tenant);
    const std::string database = net::url_segment(place.database);
    const std::string of_database =
        is_v2_ ? path_of(place, "") : fmt::format("/api/v1/databases/{}?tenant={}", database, tenant);
    ask(address_.database ? of_database : fmt::format("/api/v{}/tenants/{}", is_v2_ ? 2 : 1, tenant));
}

std::vector<Collection> ServerApi::collections() {
    std::vector<Collection> collections;
    for (const Place& place : places())
        list_collections(place, collections);
    std::ranges::sort(collections, {},
                      [](const Collection& each) { return std::tie(each.tenant, each.database, each.name); });
    return collections;
}

void ServerApi::list_collections(const Place& place, std::vector<Collection>& out) {
    for (std::size_t offset = 0;;) {
        const Json page =
            ask(path_of(place, "/collections", fmt::format("limit={}&offset={}", collections_a_page, offset)));
        const auto* list = std::get_if<JsonArray>(&page.value);
        if (list == nullptr) {
            throw Error{ErrorCode::source_unreadable, fmt::format("{} answers with no list of collections", url()),
                        "See with `curl` what it answers to /api/v2/version: is it a Chroma server?"};
        }
        for (const Json& json : *list) {
            const std::string id = text_of(json, "id");
            // A v1 that knows no offset gives the same page again.
            if (std::ranges::find(out, id, &Collection::id) != out.end()) return;
            Collection& collection = out.emplace_back(collection_of(json));
            if (collection.tenant.empty()) collection.tenant = place.tenant;
            if (collection.database.empty()) collection.database = place.database;
            if (json.find("dimension") == nullptr) find_dimension(collection);
        }
        offset += list->size();
        if (list->size() < collections_a_page) return;
    }
}

/// 0.4 does not tell it, a record does.
void ServerApi::find_dimension(Collection& collection) {
    const Page page = post_get(collection, R"({"limit":1,"offset":0,"include":["embeddings"]})");
    if (page.records.empty() || page.records.front().vector.empty()) return;
    collection.dimension = static_cast<std::uint32_t>(page.records.front().vector.size());
}

std::uint64_t ServerApi::count(const Collection& collection) {
    const std::string rest = fmt::format("/collections/{}/count", net::url_segment(collection.id));
    const Json answer = ask(path_of({collection.tenant, collection.database}, rest));
    const auto* count = std::get_if<std::int64_t>(&answer.value);
    if (count == nullptr || *count < 0) {
        throw Error{ErrorCode::source_unreadable,
                    fmt::format("{} answers with no number to the count of '{}'", url(), collection.name),
                    "Look at the server's log, or copy from its directory."};
    }
    return static_cast<std::uint64_t>(*count);
}

ServerApi::Page ServerApi::post_get(const Collection& collection, const std::string& body) {
    const std::string path = path_of({collection.tenant, collection.database},
                                     fmt::format("/collections/{}/get", net::url_segment(collection.id)));
    // Parsed while it can still be asked for again; the views of the page point into this string.
    const net::HttpResponse response =
        client_.send({.path = path, .body = body, .is_whole = [this](std::string& bytes) {
                          answer_.swap(bytes);
                          return page_.parse(answer_);
                      }});
    if (!response.is_ok()) throw_refusal(response, path);
    return {page_.records(), answer_.size()};
}

std::span<const Record> ServerApi::ids(const Collection& collection, std::size_t offset, std::size_t limit) {
    return post_get(collection, fmt::format(R"({{"limit":{},"offset":{},"include":[]}})", limit, offset)).records;
}

ServerApi::Page ServerApi::get(const Collection& collection, std::span<const std::string_view> ids) {
    json::array wanted;
    for (const std::string_view id : ids)
        wanted.emplace_back(id);
    json::array include{"embeddings", "documents", "metadatas"};
    if (has_uris_) include.emplace_back("uris");
    const json::object body{{"ids", std::move(wanted)}, {"include", std::move(include)}};
    return post_get(collection, json_text(body));
}

ServerQuery::Nearest ServerApi::nearest(const Collection& collection, const ServerQuery::Question& question) {
    const std::string path = path_of({collection.tenant, collection.database},
                                     fmt::format("/collections/{}/query", net::url_segment(collection.id)));
    const std::string body =
        fmt::format(R"({{"query_embeddings":[[{}]],"n_results":{},"include":["metadatas","distances"{}]}})",
                    fmt::join(question.vector, ","), question.count, question.wants_vectors ? R"(,"embeddings")" : "");
    const net::HttpResponse response = client_.send({.path = path,
                                                     .body = body,
                                                     .is_whole =
                                                         [this](std::string& bytes) {
                                                             answer_.swap(bytes);
                                                             return page_.parse_nearest(answer_);
                                                         },
                                                     .is_final = is_past_index});
    if (!response.is_ok()) throw_refusal(response, path);
    const ServerQuery::Nearest nearest{page_.records(), page_.distances()};
    const bool has_vectors = nearest.records.empty() || std::ranges::any_of(nearest.records, [](const Record& record) {
                                 return !record.vector.empty();
                             });
    if (question.wants_vectors && !has_vectors) {
        throw Error{ErrorCode::source_unreadable,
                    fmt::format("The Chroma server at {} answers a question for vectors with none", url()),
                    "Look at the server's log, or search its directory."};
    }
    return nearest;
}

Collection ServerApi::create(const std::string& name, Space space) {
    const std::vector<Place> known = places();
    const std::string database = address_.database.value_or(std::string{default_database});
    const auto fitting = std::ranges::find(known, database, &Place::database);
    const Place place = fitting == known.end() ? known.front() : *fitting;
    const std::string path = path_of(place, "/collections");
    // This form tells 0.4 to 1.x the space.
    const json::object wanted{
        {"name", name}, {"metadata", json::object{{"hnsw:space", name_of(space)}}}, {"get_or_create", true}};
    const net::HttpResponse response = client_.send({.path = path, .body = json_text(wanted)});
    if (!response.is_ok()) throw_refusal(response, path);
    const auto made = parse_json(response.body);
    Collection collection = collection_of(made ? *made : Json{});
    collection.tenant = place.tenant;
    collection.database = place.database;
    return collection;
}

std::size_t ServerApi::most_records_a_write() {
    const Json limits = ask(fmt::format("/api/v{}/pre-flight-checks", is_v2_ ? 2 : 1));
    const Json* most = limits.find("max_batch_size");
    const auto* number = most != nullptr ? std::get_if<std::int64_t>(&most->value) : nullptr;
    return number != nullptr && *number > 0 ? static_cast<std::size_t>(*number) : 1;
}

std::optional<std::string> ServerApi::write(const Collection& collection, std::string_view verb,
                                            const std::string& body) {
    const std::string path = path_of({collection.tenant, collection.database},
                                     fmt::format("/collections/{}/{}", net::url_segment(collection.id), verb));
    const net::HttpResponse response = client_.send({.path = path, .body = body});
    if (response.is_ok()) return std::nullopt;
    const bool is_about_content = response.status == 400 || response.status == 413 || response.status == 422;
    const bool is_missing = response.body.find("InvalidCollection") != std::string::npos;
    if (!is_about_content || is_missing) throw_refusal(response, path);
    return fmt::format("the server answers {}: {}", response.status, message_of(response.body));
}

}  // namespace decant::chroma::detail
