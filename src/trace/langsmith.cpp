#include "trace/langsmith.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/json/parse.hpp>
#include <charconv>

#include "core/error.hpp"
#include "core/json_members.hpp"
#include "core/log.hpp"
#include "trace/detail/compressed.hpp"
#include "trace/detail/http_sink.hpp"

namespace decant::trace {
namespace {

constexpr std::string_view remedy =
    "Set LANGSMITH_API_KEY to a key of that workspace, and LANGSMITH_WORKSPACE_ID where the key is the organisation's; "
    "then start the server again.";

constexpr int not_found = 404;

std::string without_quotes(std::string text) {
    const auto is_edge = [](char c) { return c == '"' || c == '\'' || c == ' '; };
    while (!text.empty() && is_edge(text.back()))
        text.pop_back();
    while (!text.empty() && is_edge(text.front()))
        text.erase(0, 1);
    return text;
}

double rate_of(const Settings& settings) {
    const std::string text = settings.get("LANGSMITH_TRACING_SAMPLING_RATE").value_or("1");
    double rate = -1;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), rate);
    if (failed == std::errc{} && end == text.data() + text.size() && rate >= 0 && rate <= 1) return rate;
    throw Error{ErrorCode::config_invalid, "LANGSMITH_TRACING_SAMPLING_RATE is no number from 0 to 1",
                "Set it to the share of traces that LangSmith is to get, as in 0.25."};
}

const json::value* member(const json::value* object, std::string_view name) {
    return object == nullptr || !object->is_object() ? nullptr : object->get_object().if_contains(name);
}

bool is_true(const json::value* value) {
    return value != nullptr && value->is_bool() && value->get_bool();
}

/// What is told of a limit; the default where that is no number above 0.
std::size_t limit_of(const json::value* value, std::size_t otherwise) {
    if (value == nullptr || !value->is_int64() || value->get_int64() <= 0) return otherwise;
    return std::min(static_cast<std::size_t>(value->get_int64()), otherwise);
}

/// Whether a version as "0.13.2" is 0.8.10 or later, from where on feedback may be a part of /runs/multipart.
bool takes_feedback_parts(std::string_view version) {
    constexpr std::array<int, 3> least{0, 8, 10};
    std::array<int, 3> told{};
    const char* at = version.data();
    const char* const end = version.data() + version.size();
    for (int& number : told) {
        const auto read = std::from_chars(at, end, number);
        if (read.ec != std::errc{}) return false;
        at = read.ptr == end ? end : read.ptr + 1;
    }
    return told >= least;
}

struct Place {
    std::string url;
    std::string api_key;
    std::string_view setting;  ///< that names it
};

/// {"URL": "KEY", ...} or [{"api_url": "URL", "api_key": "KEY"}, ...], as LangSmith's own programs read it. The text is
/// not repeated in an error: it holds keys.
std::vector<Place> read_replicas(const std::string& text) {
    constexpr std::string_view setting = "LANGSMITH_RUNS_ENDPOINTS";
    boost::system::error_code failed;
    const json::value told = json::parse(text, failed);
    std::vector<Place> places;
    if (!failed && told.is_object()) {
        for (const json::key_value_pair& entry : told.get_object())
            if (entry.value().is_string())
                places.push_back({entry.key(), std::string{entry.value().get_string()}, setting});
    } else if (!failed && told.is_array()) {
        for (const json::value& entry : told.get_array())
            if (const json::object* one = entry.if_object())
                if (const auto url = text_member(*one, "api_url"))
                    places.push_back({*url, text_member(*one, "api_key").value_or(""), setting});
    }
    const bool is_understood = !places.empty() && (told.is_object() ? told.get_object().size() == places.size()
                                                                    : told.get_array().size() == places.size());
    if (is_understood) return places;
    throw Error{ErrorCode::config_invalid, fmt::format("{} is no list of places with their keys", setting),
                R"(Write it as {"https://HOST": "KEY"} or [{"api_url": "https://HOST", "api_key": "KEY"}].)"};
}

std::vector<Place> places_in(const Settings& settings) {
    const auto endpoint = settings.get("LANGSMITH_ENDPOINT");
    const auto replicas = settings.get("LANGSMITH_RUNS_ENDPOINTS");
    if (replicas && endpoint) {
        throw Error{ErrorCode::config_invalid, "LANGSMITH_ENDPOINT and LANGSMITH_RUNS_ENDPOINTS are both set",
                    "Unset one of them."};
    }
    if (replicas) return read_replicas(*replicas);
    return {{endpoint.value_or("https://api.smith.langchain.com"), settings.get("LANGSMITH_API_KEY").value_or(""),
             "LANGSMITH_ENDPOINT"}};
}

void check(const LangSmithSetup& setup) {
    if (setup.api_key.empty() && setup.url.host.ends_with("smith.langchain.com")) {
        throw Error{ErrorCode::config_invalid, "LangSmith is to get something, and there is no LANGSMITH_API_KEY",
                    "Set LANGSMITH_API_KEY, or LANGSMITH_API_KEY_FILE, to a key of LangSmith; for a server without "
                    "LangSmith set LANGSMITH_TRACING to false."};
    }
    if (setup.url.scheme == "http" && !setup.url.is_loopback())
        log::warning("{} is not encrypted: traces and their key pass in the open.", setup.url.origin());
}

}  // namespace

std::vector<LangSmithSetup> langsmith_setups(const Settings& settings, const std::string& version) {
    if (settings.get("LANGSMITH_TRACING") != "true") return {};
    return langsmith_accounts(settings, version);
}

std::vector<LangSmithSetup> langsmith_accounts(const Settings& settings, const std::string& version) {
    const auto is_on = [&](std::string_view key) { return settings.get(key) == "true"; };
    const LangSmithSetup shared{.url = {},
                                .workspace = settings.get("LANGSMITH_WORKSPACE_ID").value_or(""),
                                .form = {.project = settings.get("LANGSMITH_PROJECT").value_or("default"),
                                         .version = version,
                                         .hides_inputs = is_on("LANGSMITH_HIDE_INPUTS"),
                                         .hides_outputs = is_on("LANGSMITH_HIDE_OUTPUTS"),
                                         .hides_metadata = is_on("LANGSMITH_HIDE_METADATA")},
                                .sampling_rate = rate_of(settings)};
    std::vector<LangSmithSetup> setups;
    for (const Place& place : places_in(settings)) {
        LangSmithSetup& setup = setups.emplace_back(shared);
        setup.url = net::parse_url(without_quotes(place.url), place.setting);
        setup.api_key = without_quotes(place.api_key);
        if (setups.size() > 1) setup.sink_name = fmt::format("langsmith-{}", setups.size());
        check(setup);
    }
    return setups;
}

net::HttpService langsmith_service(const LangSmithSetup& setup) {
    net::HttpService service{.name = "LangSmith",
                             .url = setup.url,
                             .has_secret_path = true,
                             .headers = {"Accept: application/json"},
                             .connect_timeout = std::chrono::seconds{3},
                             .idle_timeout = std::chrono::seconds{10},
                             .total_timeout = std::chrono::seconds{10}};
    if (!setup.api_key.empty()) service.headers.push_back("x-api-key: " + setup.api_key);
    if (!setup.workspace.empty()) service.headers.push_back("X-Tenant-Id: " + setup.workspace);
    return service;
}

LangSmithSink::LangSmithSink(LangSmithSetup setup) : setup_(std::move(setup)), client_(langsmith_service(setup_)) {}

Delivery LangSmithSink::deliver(const Runs& runs, const std::stop_token& stop) {
    if (!is_informed_) {
        Delivery asked = ask_info(stop);
        if (asked.outcome != Outcome::delivered) return asked;
    }
    return detail::send_in_pieces(runs, limits_, [&](const Runs& piece) { return post(piece, stop); });
}

/// What the server takes. One that answers otherwise is sent what any takes.
Delivery LangSmithSink::ask_info(const std::stop_token& stop) {
    client_.limit({.stop = stop, .tries = 1});
    net::HttpResponse response;
    try {
        response = client_.send({.path = "/info", .tries = 1, .most_body_bytes = 1UL << 20U});
    } catch (const Error& error) {
        return {.outcome = Outcome::later, .reason = error.happened()};
    }
    is_informed_ = true;
    boost::system::error_code failed;
    const json::value info = json::parse(response.body, failed);
    if (!response.is_ok() || failed) return {};
    const json::value* batch = member(&info, "batch_ingest_config");
    const json::value* multipart = member(batch, "use_multipart_endpoint");
    takes_multipart_ = multipart == nullptr || is_true(multipart);
    takes_zstd_ = is_true(member(member(&info, "instance_flags"), "zstd_compression_enabled"));
    const json::value* told_version = member(&info, "version");
    takes_feedback_parts_ =
        told_version != nullptr && told_version->is_string() && takes_feedback_parts(told_version->get_string());
    limits_ = {.runs = limit_of(member(batch, "size_limit"), limits_.runs),
               .bytes = limit_of(member(batch, "size_limit_bytes"), limits_.bytes)};
    return {};
}

Delivery LangSmithSink::post(const Runs& runs, const std::stop_token& stop) {
    if (takes_multipart_) {
        Delivery delivery = send_multipart(detail::multipart_of(runs, setup_.form), stop);
        if (delivery.status != not_found) return delivery;
    }
    Delivery delivery =
        detail::send_once(client_, {.path = "/runs/batch", .body = detail::batch_of(runs, setup_.form)}, stop, remedy);
    // A proxy may find neither for a while: only where one is taken the other is not there.
    if (delivery.outcome == Outcome::delivered) takes_multipart_ = false;
    return delivery;
}

Delivery LangSmithSink::send_multipart(detail::Multipart multipart, const std::stop_token& stop) {
    net::HttpRequest request{.path = "/runs/multipart",
                             .headers = {"Content-Type: multipart/form-data; boundary=" + multipart.boundary}};
    if (takes_zstd_) {
        std::string compressed = detail::zstd_compressed(multipart.body);
        request.headers.emplace_back("Content-Encoding: zstd");
        request.headers.push_back(fmt::format("X-Pre-Compressed-Size: {}", multipart.content_bytes));
        request.headers.push_back(fmt::format("X-Post-Compressed-Size: {}", compressed.size()));
        multipart.body = std::move(compressed);
    }
    request.body = std::move(multipart.body);
    return detail::send_once(client_, std::move(request), stop, remedy);
}

Delivery LangSmithSink::deliver_feedback(const std::vector<json::object>& feedback, const std::stop_token& stop) {
    if (most_feedback() > 1) return send_multipart(detail::multipart_of(feedback), stop);
    for (const json::object& said : feedback) {
        Delivery delivery = detail::send_once(client_, {.path = "/feedback", .body = json_text(said)}, stop, remedy);
        if (delivery.outcome != Outcome::delivered) return delivery;
    }
    return {};
}

}  // namespace decant::trace
