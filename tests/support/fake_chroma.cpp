#include "tests/support/fake_chroma.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <set>
#include <stdexcept>
#include <utility>

#include "core/json.hpp"
#include "net/url.hpp"

namespace decant::test {
namespace {

/// Not json_text, which leaves the point of 1.0 out.
StandInAnswer ok(const json::value& value) {
    return {.body = json::serialize(value), .headers = {"Content-Type: application/json"}};
}

StandInAnswer refused(int status, const std::string& error, const std::string& message) {
    return {.status = status, .body = json::serialize(json::object{{"error", error}, {"message", message}})};
}

std::string decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        out += static_cast<char>(std::stoi(std::string{text.substr(i + 1, 2)}, nullptr, 16));
        i += 2;
    }
    return out;
}

/// The value of a query's parameter, decoded; empty when it has none.
std::string parameter(const std::string& query, const std::string& name) {
    const std::size_t at = ("&" + query).find("&" + name + "=");
    if (at == std::string::npos) return {};
    const std::size_t start = at + name.size() + 1;
    return decoded(std::string_view{query}.substr(start, query.find('&', start) - start));
}

std::size_t number(const std::string& query, const std::string& name, std::size_t otherwise) {
    const std::string text = parameter(query, name);
    return text.empty() ? otherwise : std::stoul(text);
}

struct ScalarJson {
    json::value operator()(bool value) const { return value; }
    json::value operator()(std::int64_t value) const { return value; }
    json::value operator()(double value) const { return std::isfinite(value) ? json::value(value) : nullptr; }
    json::value operator()(std::string_view value) const { return json::string(value); }
};

json::array json_of(std::span<const float> vector) {
    json::array out;
    for (const float value : vector)
        out.push_back(ScalarJson{}(double{value}));
    return out;
}

json::value json_of(const chroma::Record& record) {
    if (!record.metadata) return nullptr;
    json::object out;
    for (const auto& [key, value] : *record.metadata) {
        if (const auto* scalar = std::get_if<chroma::Scalar>(&value)) {
            out[key] = std::visit(ScalarJson{}, *scalar);
            continue;
        }
        json::array list;
        for (const chroma::Scalar& element : std::get<std::span<const chroma::Scalar>>(value))
            list.push_back(std::visit(ScalarJson{}, element));
        out[key] = std::move(list);
    }
    return out;
}

json::value json_of(const std::optional<std::string_view>& text) {
    return text ? json::value(json::string(*text)) : nullptr;
}

}  // namespace

FakeChroma::FakeChroma(Api api, const std::filesystem::path& certificate)
    : api_(api), http_([this](const StandInRequest& request) { return answer(request); }, certificate) {}

void FakeChroma::add_collection(const std::string& name, const Place& place, chroma::Space space) {
    const std::lock_guard lock{mutex_};
    add({.tenant = place.tenant,
         .database = place.database,
         .name = name,
         .id = fmt::format("00000000-0000-4000-8000-{:012}", collections_.size() + 1),
         .dimension = 4,
         .space = space,
         .embedding_function = {}});
}

void FakeChroma::renew_collection(const std::string& name) {
    const std::lock_guard lock{mutex_};
    named(name).rows.clear();
    named(name).described["id"] = "ffffffff-" + named(name).text("id").substr(9);
}

/// 1.x and 0.5 describe the space in their own places; 0.5 says l2 in a place that is to be passed over.
FakeChroma::Collection& FakeChroma::add(const chroma::Collection& collection) {
    const std::string space{chroma::name_of(collection.space.value())};
    json::object configuration{{"hnsw_configuration", json::object{{"space", "l2"}}}};
    if (api_ == Api::v2) configuration = json::object{{"hnsw", json::object{{"space", space}}}, {"spann", nullptr}};
    json::value metadata = nullptr;
    if (api_ == Api::v1) metadata = json::object{{"hnsw:space", space}};
    collections_.push_back(
        {.described = {{"id", collection.id},
                       {"name", collection.name},
                       {"configuration_json", std::move(configuration)},
                       {"metadata", std::move(metadata)},
                       {"dimension", collection.dimension ? json::value(*collection.dimension) : nullptr},
                       {"tenant", collection.tenant},
                       {"database", collection.database}},
         .rows = {}});
    return collections_.back();
}

void FakeChroma::take(const chroma::Source& source) {
    const std::lock_guard lock{mutex_};
    for (const chroma::Collection& collection : source.collections()) {
        Collection& added = add(collection);
        const auto reader = source.read(collection);
        for (auto page = reader->next_page(100); !page.empty(); page = reader->next_page(100)) {
            for (const chroma::Record& record : page)
                put_row(added, {std::string{record.id}, json_of(record.vector), json_of(record.document),
                                json_of(record), json_of(record.uri)});
        }
        // A real server gives records in the order of their coming, not of their ids.
        std::ranges::reverse(added.rows);
    }
}

void FakeChroma::put(const std::string& collection, const SourceRecord& record) {
    const std::lock_guard lock{mutex_};
    json::object metadata;
    for (const auto& [key, value] : record.metadata)
        metadata[key] = std::visit([](const auto& each) { return ScalarJson{}(each); }, value);
    named(collection).described["dimension"] = record.vector.size();
    put_row(named(collection),
            {record.id, json_of(record.vector), record.document ? json::value(json::string(*record.document)) : nullptr,
             record.metadata.empty() ? json::value(nullptr) : json::value(std::move(metadata)), nullptr});
}

void FakeChroma::put_samples(const std::string& collection, std::uint64_t first, std::uint64_t count,
                             std::size_t dimension) {
    for (std::uint64_t i = first; i < first + count; ++i)
        put(collection, sample_record(i, dimension));
}

void FakeChroma::remove(const std::string& collection, const std::string& id) {
    const std::lock_guard lock{mutex_};
    std::erase_if(named(collection).rows, [&](const Row& row) { return row.id == id; });
}

void FakeChroma::put_row(Collection& collection, Row row) {
    const auto found = std::ranges::find(collection.rows, row.id, &Row::id);
    if (found != collection.rows.end())
        *found = std::move(row);
    else
        collection.rows.push_back(std::move(row));
}

FakeChroma::Collection& FakeChroma::named(const std::string& name) {
    const auto found = std::ranges::find(collections_, name, [](const Collection& each) { return each.text("name"); });
    if (found == collections_.end()) throw std::runtime_error("the fake server has no collection " + name);
    return *found;
}

void FakeChroma::set_fault(Fault fault) {
    const std::lock_guard lock{mutex_};
    fault_ = std::move(fault);
}

void FakeChroma::leave_dimensions_out() {
    const std::lock_guard lock{mutex_};
    for (Collection& collection : collections_)
        collection.described.erase("dimension");
}

void FakeChroma::require_header(const std::string& name, const std::string& value) {
    const std::lock_guard lock{mutex_};
    header_name_ = name;
    header_value_ = value;
}

std::vector<std::string> FakeChroma::violations() const {
    const std::lock_guard lock{mutex_};
    return violations_;
}

StandInAnswer FakeChroma::violation(const std::string& what) {
    violations_.push_back(what);
    return refused(422, "ChromaError", what);
}

StandInAnswer FakeChroma::answer(const StandInRequest& request) {
    std::unique_lock lock{mutex_};
    const Fault fault = fault_;
    lock.unlock();  // a fault may change what the server holds
    if (fault) {
        if (auto scripted = fault(request)) return *scripted;
    }
    lock.lock();
    const std::size_t mark = std::min(request.target.find('?'), request.target.size());
    const std::string query = mark < request.target.size() ? request.target.substr(mark + 1) : "";
    return route(request, request.target.substr(0, mark), query);
}

StandInAnswer FakeChroma::route(const StandInRequest& request, std::string path, const std::string& query) {
    if (path.starts_with("/api/v1/") && api_ == Api::v2) {
        return refused(410, "Unimplemented", "The v1 API is deprecated. Please use /v2 apis");
    }
    if (path.starts_with("/api/v2/") && api_ == Api::v1) return {.status = 404, .body = R"({"detail":"Not Found"})"};
    if (path.ends_with("/version")) return ok(api_ == Api::v1 ? "0.5.23" : "1.0.0");
    const auto sent = request.headers.find(header_name_);
    if (!header_name_.empty() && (sent == request.headers.end() || sent->second != header_value_)) {
        return refused(403, "AuthError", "Forbidden");
    }
    if (path == "/api/v2/auth/identity") {
        return ok(json::object{{"user_id", ""}, {"tenant", "default_tenant"}, {"databases", json::array{}}});
    }
    Place place{parameter(query, "tenant"), parameter(query, "database")};
    path.erase(0, std::string_view{"/api/v1"}.size());
    const auto segment = [&path](std::string_view name) {
        if (!path.starts_with(name)) return std::string{};
        const std::size_t end = std::min(path.find('/', name.size()), path.size());
        std::string value = decoded(std::string_view{path}.substr(name.size(), end - name.size()));
        path.erase(0, end);
        return value;
    };
    if (api_ == Api::v2) place.tenant = segment("/tenants/");
    if (api_ == Api::v2 && path == "/databases") return databases(place.tenant);
    if (api_ == Api::v2 || path.starts_with("/databases/")) place.database = segment("/databases/");
    if (api_ == Api::v1 && path.starts_with("/tenants/")) place.tenant = segment("/tenants/");
    if (path.empty()) {
        return has(place, place.database.empty()) ? ok(json::object{{"name", place.database}})
                                                  : refused(404, "NotFoundError", "Not found");
    }
    if (path == "/pre-flight-checks") return ok(json::object{{"max_batch_size", 100}});
    if (path == "/collections" && request.method == "POST") return create(place, request.body);
    if (path == "/collections") return list(place, query);
    const std::string id = segment("/collections/");
    for (Collection& collection : collections_) {
        if (collection.text("id") != id || collection.text("tenant") != place.tenant ||
            collection.text("database") != place.database) {
            continue;
        }
        if (path == "/count" && request.method == "GET") return ok(collection.rows.size());
        if (path == "/get" && request.method == "POST") return get(collection, request.body);
        if (path == "/query" && request.method == "POST") return nearest(collection, request.body);
        if (path == "/upsert" && request.method == "POST") return upsert(collection, request.body);
        if (path == "/delete" && request.method == "POST") return erase(collection, request.body);
        return violation(fmt::format("{} {}", request.method, request.target));
    }
    const std::string message = fmt::format("Collection {} does not exist.", id);
    return api_ == Api::v1 ? refused(400, "InvalidCollection", message) : refused(404, "NotFoundError", message);
}

bool FakeChroma::has(const Place& place, bool any_database) const {
    return std::ranges::any_of(collections_, [&](const Collection& each) {
        return each.text("tenant") == place.tenant && (any_database || each.text("database") == place.database);
    });
}

StandInAnswer FakeChroma::databases(const std::string& tenant) const {
    std::set<std::string> names;
    for (const Collection& collection : collections_) {
        if (collection.text("tenant") == tenant) names.insert(collection.text("database"));
    }
    json::array out;
    for (const std::string& name : names)
        out.push_back(json::object{{"id", "0"}, {"name", name}, {"tenant", tenant}});
    return ok(out);
}

StandInAnswer FakeChroma::list(const Place& place, const std::string& query) const {
    json::array out;
    std::size_t skipped = 0;
    const std::size_t limit = number(query, "limit", 1'000);
    for (const Collection& collection : collections_) {
        if (collection.text("tenant") != place.tenant || collection.text("database") != place.database) continue;
        if (skipped++ < number(query, "offset", 0) || out.size() == limit) continue;
        out.push_back(collection.described);
    }
    return ok(out);
}

/// The space where the real ones have it from the metadata; no dimension until the first record.
StandInAnswer FakeChroma::create(const Place& place, const std::string& body) {
    const json::value wanted = json::parse(body);
    const std::string space = wanted.at("metadata").at("hnsw:space").as_string().c_str();
    return ok(add({.tenant = place.tenant,
                   .database = place.database,
                   .name = wanted.at("name").as_string().c_str(),
                   .id = fmt::format("00000000-0000-4000-8000-{:012}", collections_.size() + 1),
                   .dimension = {},
                   .space = space == "l2"   ? chroma::Space::l2
                            : space == "ip" ? chroma::Space::ip
                                            : chroma::Space::cosine,
                   .embedding_function = {}})
                  .described);
}

/// Keeps what a record has and the new one has not, as the real ones do, and refuses a document "refuse me".
StandInAnswer FakeChroma::upsert(Collection& collection, const std::string& body) {
    const json::value wanted = json::parse(body);
    const json::array& ids = wanted.at("ids").as_array();
    if (ids.size() > 100) return violation("more than max_batch_size");
    for (const json::value& document : wanted.at("documents").as_array()) {
        if (document.is_string() && document.as_string() == "refuse me")
            return refused(422, "ChromaError", "such a document is not taken");
    }
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const auto part = [&](const char* name) { return wanted.at(name).as_array().at(i); };
        Row row{ids[i].as_string().c_str(), part("embeddings"), part("documents"), part("metadatas"), part("uris")};
        collection.described["dimension"] = row.embedding.as_array().size();
        const auto present = std::ranges::find(collection.rows, row.id, &Row::id);
        if (present != collection.rows.end()) {
            if (row.document.is_null()) row.document = present->document;
            if (row.uri.is_null()) row.uri = present->uri;
            json::value merged = present->metadata;
            if (merged.is_object() && row.metadata.is_object()) {
                for (const auto& [key, value] : row.metadata.as_object())
                    merged.as_object()[key] = value;
                row.metadata = merged;
            } else if (row.metadata.is_null()) {
                row.metadata = merged;
            }
        }
        put_row(collection, std::move(row));
    }
    return ok(json::object{});
}

StandInAnswer FakeChroma::erase(Collection& collection, const std::string& body) {
    const json::value wanted = json::parse(body);
    for (const json::value& id : wanted.at("ids").as_array())
        std::erase_if(collection.rows, [&](const Row& row) { return json::string(row.id) == id.as_string(); });
    return ok(json::object{});
}

StandInAnswer FakeChroma::get(const Collection& collection, const std::string& body) {
    boost::system::error_code error;
    const json::value parsed = json::parse(body, error);
    if (error || !parsed.is_object()) return violation("a body that is no JSON object");
    std::set<std::string> include;
    std::optional<std::set<std::string>> ids;
    std::size_t limit = collection.rows.size();
    std::size_t offset = 0;
    for (const auto& [key, value] : parsed.as_object()) {
        if (key == "limit") {
            limit = value.to_number<std::size_t>();
        } else if (key == "offset") {
            offset = value.to_number<std::size_t>();
        } else if (key == "ids") {
            ids.emplace();
            for (const json::value& id : value.as_array())
                ids->emplace(id.as_string());
        } else if (key == "include") {
            for (const json::value& name : value.as_array())
                include.emplace(name.as_string());
        } else {
            return violation("get with the member " + std::string{key});
        }
    }
    for (const std::string& name : include) {
        if (name != "embeddings" && name != "documents" && name != "metadatas" && name != "uris") {
            return violation("include " + name);
        }
    }
    json::array given;
    json::array embeddings;
    json::array documents;
    json::array metadatas;
    json::array uris;
    for (const Row& row : collection.rows) {
        if (ids && !ids->contains(row.id)) continue;
        if (offset > 0) {
            --offset;
            continue;
        }
        if (given.size() == limit) break;
        given.emplace_back(row.id);
        embeddings.push_back(row.embedding);
        documents.push_back(row.document);
        metadatas.push_back(row.metadata);
        uris.push_back(row.uri);
    }
    const auto shown = [&](const char* name, const json::array& values) {
        return include.contains(name) ? json::value(values) : json::value(nullptr);
    };
    return ok(json::object{{"ids", given},
                           {"embeddings", shown("embeddings", embeddings)},
                           {"documents", shown("documents", documents)},
                           {"uris", shown("uris", uris)},
                           {"metadatas", shown("metadatas", metadatas)},
                           {"include", json::array(include.begin(), include.end())}});
}

}  // namespace decant::test
