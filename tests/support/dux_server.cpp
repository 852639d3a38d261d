#include "tests/support/dux_server.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <regex>
#include <set>
#include <utility>

#include "core/json.hpp"

namespace decant::test {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_items = 50;

StandInAnswer ok(const json::value& value) {
    return {.body = json_text(value), .headers = {"Content-Type: application/json; charset=utf-8"}};
}

std::optional<std::size_t> count_of(const std::string& text) {
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

/// The parameters of a query, of which DUX needs none encoded. None: not a list of NAME=VALUE, or a name that stands
/// twice.
std::optional<std::map<std::string, std::string>> parameters_of(const std::string& query) {
    std::map<std::string, std::string> parameters;
    for (std::size_t at = 0; at < query.size();) {
        const std::size_t end = std::min(query.find('&', at), query.size());
        const std::size_t equals = query.find('=', at);
        if (equals >= end) return std::nullopt;
        if (!parameters.emplace(query.substr(at, equals - at), query.substr(equals + 1, end - equals - 1)).second)
            return std::nullopt;
        at = end + 1;
    }
    return parameters;
}

/// Version 2 has numbers where version 1 has text of them.
json::value with_numbers(const json::value& value, bool is_figure = false) {
    static const std::set<std::string, std::less<>> figures{
        "costo", "porc_iva", "precio", "ctd_disponible", "stock_real", "stock_reservado", "stock_disponible"};
    static const std::regex decimal{"-?(0|[1-9][0-9]*)([.][0-9]+)?"};
    static const std::regex thousand_or_not{"-?[1-9][0-9]{0,2}[.,][0-9]{3}"};
    if (const json::array* list = value.if_array()) {
        json::array out;
        for (const json::value& one : *list)
            out.push_back(with_numbers(one));
        return out;
    }
    if (const json::object* object = value.if_object()) {
        json::object out;
        for (const auto& [name, member] : *object)
            out[name] = with_numbers(member, figures.contains(std::string_view{name}));
        return out;
    }
    if (!is_figure || !value.is_string()) return value;
    std::string text{value.get_string()};
    if (std::regex_match(text, thousand_or_not)) return value;
    if (text.find(',') != std::string::npos) {
        std::erase(text, '.');
        std::ranges::replace(text, ',', '.');
    }
    return std::regex_match(text, decimal) ? json::value(std::stod(text)) : value;
}

bool is_enabled(const json::value& item) {
    const json::object* object = item.if_object();
    const json::value* enabled = object != nullptr ? object->if_contains("habilitado") : nullptr;
    if (enabled == nullptr || !enabled->is_string()) return enabled == nullptr || *enabled != json::value(false);
    return !enabled->get_string().starts_with('N') && !enabled->get_string().starts_with('n');
}

std::string key_of(const json::value& item) {
    const json::object* object = item.if_object();
    const json::value* key = object != nullptr ? object->if_contains("cod_item") : nullptr;
    return key != nullptr && key->is_string() ? std::string{key->get_string()} : std::string{};
}

}  // namespace

DuxServer::DuxServer(Options options)
    : options_(std::move(options)), http_([this](const StandInRequest& request) { return answer(request); }) {}

void DuxServer::set_items(json::array items, const std::string& day) {
    const std::lock_guard lock{mutex_};
    std::map<std::string, Dated> before;
    for (const Dated& one : items_)
        before.insert_or_assign(key_of(one.item), one);
    items_.clear();
    for (const json::value& item : items) {
        const auto found = before.find(key_of(item));
        const bool is_same = found != before.end() && found->second.item == item;
        items_.push_back({.item = item, .day = is_same ? found->second.day : day});
    }
}

json::array DuxServer::items() const {
    const std::lock_guard lock{mutex_};
    json::array all;
    for (const Dated& one : items_)
        all.push_back(one.item);
    return all;
}

void DuxServer::fail(std::size_t offset, DuxFault fault, int times) {
    const std::lock_guard lock{mutex_};
    troubles_.push_back({.offset = offset, .fault = fault, .times = times});
}

void DuxServer::fail_rubros(DuxFault fault, int times) {
    const std::lock_guard lock{mutex_};
    rubro_troubles_.push_back({.offset = 0, .fault = fault, .times = times});
}

void DuxServer::refuse(DuxHint hint, std::chrono::seconds wait, int times) {
    const std::lock_guard lock{mutex_};
    refusals_.push_back({.hint = hint, .wait = wait, .times = times});
}

void DuxServer::before(std::size_t offset, Change change) {
    const std::lock_guard lock{mutex_};
    changes_.insert_or_assign(offset, std::move(change));
}

void DuxServer::before_all(Change change) {
    const std::lock_guard lock{mutex_};
    change_of_all_ = std::move(change);
}

void DuxServer::replace(const std::string& text, const std::string& other) {
    const std::lock_guard lock{mutex_};
    replaced_.insert_or_assign(text, other);
}

void DuxServer::watch(std::function<void(std::size_t)> watcher) {
    const std::lock_guard lock{mutex_};
    watcher_ = std::move(watcher);
}

std::vector<std::string> DuxServer::environment() const {
    return {"DUX_API_BASE_URL=" + url(), "DUX_API_KEY=" + options_.key,
            fmt::format("DUX_API_VERSION={}", options_.version),
            fmt::format("DUX_API_RATE_LIMIT_SECONDS={}", static_cast<double>(options_.pace.count()) / 1000),
            "DUX_API_TIMEOUT=1"};
}

std::vector<std::size_t> DuxServer::offsets() const {
    const std::lock_guard lock{mutex_};
    return offsets_;
}

std::vector<std::string> DuxServer::queries() const {
    const std::lock_guard lock{mutex_};
    return queries_;
}

std::vector<std::string> DuxServer::violations() const {
    const std::lock_guard lock{mutex_};
    return violations_;
}

StandInAnswer DuxServer::violation(int status, const std::string& what) {
    violations_.push_back(what);
    return error(status, what);
}

StandInAnswer DuxServer::error(int status, const std::string& message) const {
    StandInAnswer answer = options_.version == 1
                               ? ok({{"status", status}, {"error", message}})
                               : ok({{"error", {{"codigo", status}, {"mensaje", message}}}, {"id_solicitud", "r-1"}});
    answer.status = status;
    return answer;
}

StandInAnswer DuxServer::answer(const StandInRequest& request) {
    const std::lock_guard lock{mutex_};
    if (auto refused = refusal_of(request)) return *refused;
    const std::size_t mark = std::min(request.target.find('?'), request.target.size());
    std::string path = request.target.substr(0, mark);
    const std::string query = request.target.substr(std::min(mark + 1, request.target.size()));
    if (options_.version == 2) {
        if (!path.starts_with("/v2/")) return violation(404, "path " + path);
        path.erase(0, 3);
    }
    if (path == "/items") return items_page(query);
    if (path != "/rubros" || !query.empty()) return violation(404, "target " + request.target);
    const auto trouble = take_trouble(rubro_troubles_, 0, 1);
    return trouble ? faulty(*trouble, rubros().body) : rubros();
}

std::optional<StandInAnswer> DuxServer::refusal_of(const StandInRequest& request) {
    const auto header = [&](const char* name) {
        const auto found = request.headers.find(name);
        return found == request.headers.end() ? std::string{} : found->second;
    };
    if (request.method != "GET" || !request.body.empty())
        return violation(405, fmt::format("{} {} with {} bytes", request.method, request.target, request.body.size()));
    if (header("accept") != "application/json") return violation(406, "accept: " + header("accept"));
    const std::string given = header("authorization");
    if (given.starts_with("Bearer ") != (options_.version == 2)) return violation(401, "authorization: " + given);
    if (auto refused = too_fast()) return refused;
    if (given != (options_.version == 2 ? "Bearer " : "") + options_.key) return error(401, "Token inválido");
    if (refusals_.empty()) return std::nullopt;
    const Refusal refusal = refusals_.front();
    if (--refusals_.front().times == 0) refusals_.erase(refusals_.begin());
    asked_to_wait_until_ = options_.clock() + refusal.wait;
    return too_many(refusal.hint, refusal.wait);
}

std::optional<StandInAnswer> DuxServer::too_fast() {
    const auto now = options_.clock();
    if (asked_to_wait_until_ && now < *asked_to_wait_until_) {
        violations_.push_back("asked again before the wait that a 429 had asked for was over");
        return too_many(DuxHint::seconds, 1s);
    }
    asked_to_wait_until_.reset();
    if (next_allowed_ && now < *next_allowed_) {
        violations_.push_back(fmt::format("asked {} too early for the pace",
                                          std::chrono::duration_cast<std::chrono::milliseconds>(*next_allowed_ - now)));
        return too_many(DuxHint::none, 0s);
    }
    next_allowed_ = now + options_.pace * 3 / 4;
    return std::nullopt;
}

StandInAnswer DuxServer::too_many(DuxHint hint, std::chrono::seconds wait) const {
    StandInAnswer answer = error(429, "Demasiadas solicitudes");
    if (hint == DuxHint::seconds) answer.headers.push_back(fmt::format("Retry-After: {}", wait.count()));
    if (hint == DuxHint::date) {
        // Of whole seconds, so that the moment is never sooner than the one asked for.
        const auto at = std::chrono::ceil<std::chrono::seconds>(std::chrono::system_clock::now() + wait);
        answer.headers.push_back(fmt::format("Retry-After: {:%a, %d %b %Y %H:%M:%S} GMT", at));
    }
    if (hint == DuxHint::body)
        answer.body = json_text({{"error", {{"codigo", 429}, {"reintentar_en_segundos", wait.count()}}}});
    return answer;
}

StandInAnswer DuxServer::items_page(const std::string& query) {
    const std::optional<Page> page = page_of(query);
    if (!page) return violation(400, "query " + query);
    offsets_.push_back(page->offset);
    queries_.push_back(query);
    if (watcher_) watcher_(page->offset);
    for (auto change = changes_.lower_bound(page->offset);
         change != changes_.end() && change->first < page->offset + page->limit; change = changes_.erase(change))
        apply(change->second);
    if (change_of_all_) apply(change_of_all_);
    StandInAnswer whole = ok(page_json(*page));
    for (const auto& [text, other] : replaced_) {
        const std::size_t at = whole.body.find(text);
        if (at != std::string::npos) whole.body.replace(at, text.size(), other);
    }
    const auto trouble = take_trouble(troubles_, page->offset, page->limit);
    return trouble ? faulty(*trouble, whole.body) : whole;
}

void DuxServer::apply(const Change& change) {
    json::array items;
    for (const Dated& one : items_)
        items.push_back(one.item);
    change(items);
    items_.clear();
    for (const json::value& item : items)
        items_.push_back({.item = item, .day = "2026-01-01"});
}

std::optional<DuxServer::Page> DuxServer::page_of(const std::string& query) {
    static const std::regex day{"20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"};
    auto parameters = parameters_of(query);
    if (!parameters) return std::nullopt;
    const auto take = [&](const char* name) {
        auto node = parameters->extract(name);
        return node.empty() ? std::string{} : node.mapped();
    };
    const auto offset = count_of(take("offset"));
    const auto limit = count_of(take("limit"));
    if (!offset || !limit || *limit < 1 || *limit > most_items) return std::nullopt;
    Page page{.offset = *offset, .limit = *limit, .changed_since = {}, .is_enabled = {}};
    if (options_.version == 2) {
        page.changed_since = take("fecha_ult_actualizacion");
        if (!page.changed_since.empty() && !std::regex_match(page.changed_since, day)) return std::nullopt;
        const std::string enabled = take("habilitado");
        if (!enabled.empty()) page.is_enabled = enabled == "true";
        if (!enabled.empty() && enabled != "true" && enabled != "false") return std::nullopt;
    }
    return parameters->empty() ? std::optional{page} : std::nullopt;
}

json::object DuxServer::page_json(const Page& page) const {
    std::size_t total = 0;
    json::array some;
    for (const Dated& one : items_) {
        if (one.day < page.changed_since || (page.is_enabled && *page.is_enabled != is_enabled(one.item))) continue;
        if (total >= page.offset && some.size() < page.limit)
            some.push_back(options_.version == 2 ? with_numbers(one.item) : one.item);
        ++total;
    }
    json::object paging{{"total", total}, {"offset", page.offset}, {"limit", page.limit}};
    if (options_.version == 1) return {{"paging", std::move(paging)}, {"results", std::move(some)}};
    paging["hay_mas"] = page.offset + some.size() < total;
    return {{"datos", std::move(some)}, {"paginacion", std::move(paging)}, {"id_solicitud", "r-1"}};
}

StandInAnswer DuxServer::rubros() const {
    std::map<std::int64_t, json::value> names;
    for (const Dated& one : items_) {
        const json::object* object = one.item.if_object();
        const json::value* rubro = object != nullptr ? object->if_contains("rubro") : nullptr;
        const json::object* fields = rubro != nullptr ? rubro->if_object() : nullptr;
        const json::value* id = fields != nullptr ? fields->if_contains("id_rubro") : nullptr;
        if (id != nullptr && id->is_int64() && fields->contains("rubro"))
            names.insert_or_assign(id->get_int64(), fields->at("rubro"));
    }
    json::array list;
    for (const auto& [id, name] : names)
        list.push_back({{"id_rubro", id}, {"rubro", name}});
    return options_.version == 1 ? ok(list) : ok({{"rubros", std::move(list)}});
}

std::optional<DuxFault> DuxServer::take_trouble(std::vector<Trouble>& troubles, std::size_t first,
                                                std::size_t count) const {
    const auto found = std::ranges::find_if(
        troubles, [&](const Trouble& one) { return one.offset >= first && one.offset < first + count; });
    if (found == troubles.end()) return std::nullopt;
    const DuxFault fault = found->fault;
    if (found->times > 0 && --found->times == 0) troubles.erase(found);
    return fault;
}

StandInAnswer DuxServer::faulty(DuxFault fault, const std::string& whole) const {
    switch (fault) {
        case DuxFault::html:
            return {.body = "<!DOCTYPE html><html><body><h1>Mantenimiento</h1></body></html>",
                    .headers = {"Content-Type: text/html; charset=utf-8"}};
        case DuxFault::cut_json:
            return {.body = whole.substr(0, whole.size() / 2), .headers = {"Content-Type: application/json"}};
        case DuxFault::cut_connection:
            return {.body = whole, .headers = {"Content-Type: application/json"}, .cut_after = whole.size() / 2};
        case DuxFault::error_body: {
            StandInAnswer answer = error(500, "Ha ocurrido un error");
            answer.status = 200;
            return answer;
        }
        case DuxFault::unauthorized:
            return error(401, "Token inválido");
        case DuxFault::forbidden:
            return error(403, "El plan no incluye la API");
        case DuxFault::server_error:
            return error(503, "Servicio no disponible");
        case DuxFault::silence:
            return {.is_withheld = true};
    }
    throw std::logic_error("no such fault");
}

}  // namespace decant::test
