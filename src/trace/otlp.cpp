#include "trace/otlp.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/split_list.hpp"
#include "trace/detail/http_sink.hpp"

namespace decant::trace {
namespace {

constexpr std::string_view remedy =
    "Set OTEL_EXPORTER_OTLP_HEADERS to what the collector asks for, then start the "
    "server again.";

/// "name=value,name=value", values percent-encoded, as in a baggage header.
std::vector<std::string> headers_in(const std::string& list) {
    std::vector<std::string> headers;
    for (const std::string_view entry : split_list(list)) {
        const std::size_t equals = entry.find('=');
        if (equals == std::string_view::npos || equals == 0) {
            throw Error{ErrorCode::config_invalid, "OTEL_EXPORTER_OTLP_HEADERS is no list of name=value",
                        "Write it as in x-api-key=KEY,other=VALUE."};
        }
        headers.push_back(
            fmt::format("{}: {}", entry.substr(0, equals), net::percent_decoded(entry.substr(equals + 1))));
    }
    return headers;
}

net::HttpService service_of(const OtlpSetup& setup) {
    return {.name = "The collector of OpenTelemetry",
            .url = setup.url,
            .has_secret_path = true,
            .headers = setup.headers,
            .connect_timeout = std::chrono::seconds{3},
            .idle_timeout = std::chrono::seconds{10},
            .total_timeout = std::chrono::seconds{10}};
}

}  // namespace

std::optional<OtlpSetup> otlp_setup(const Settings& settings, const std::string& version) {
    const auto endpoint = settings.get("OTEL_EXPORTER_OTLP_ENDPOINT");
    if (!endpoint) return std::nullopt;
    OtlpSetup setup{
        .url = net::parse_url(*endpoint, "OTEL_EXPORTER_OTLP_ENDPOINT"),
        .headers = headers_in(settings.get("OTEL_EXPORTER_OTLP_HEADERS").value_or("")),
        .form = {.service = settings.get("OTEL_SERVICE_NAME").value_or("decant"),
                 .version = version,
                 .project = settings.get("LANGSMITH_PROJECT").value_or(""),
                 .has_content = settings.get("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT") == "true"}};
    if (setup.url.scheme == "http" && !setup.url.is_loopback() && !setup.headers.empty())
        log::warning("{} is not encrypted: traces and OTEL_EXPORTER_OTLP_HEADERS pass in the open.",
                     setup.url.origin());
    return setup;
}

OtlpSetup otlp_setup_for(OtlpSetup collector, const LangSmithSetup& account) {
    if (account.form.hides_inputs || account.form.hides_outputs) collector.form.has_content = false;
    collector.form.hides_metadata = account.form.hides_metadata;
    return collector;
}

OtlpSetup otlp_setup_of(const LangSmithSetup& account) {
    OtlpSetup setup{.url = account.url,
                    .headers = {"Langsmith-Project: " + account.form.project},
                    .form = {.version = account.form.version, .project = account.form.project, .has_content = true}};
    setup.url.path += "/otel";
    if (!account.api_key.empty()) setup.headers.push_back("x-api-key: " + account.api_key);
    if (!account.workspace.empty()) setup.headers.push_back("X-Tenant-Id: " + account.workspace);
    return otlp_setup_for(std::move(setup), account);
}

OtlpSink::OtlpSink(OtlpSetup setup) : setup_(std::move(setup)), client_(service_of(setup_)) {}

Delivery OtlpSink::deliver(const Runs& runs, const std::stop_token& stop) {
    return detail::send_in_pieces(runs, limits(), [&](const Runs& piece) {
        return detail::send_once(client_,
                                 {.path = "/v1/traces",
                                  .body = detail::otlp_body(piece, setup_.form),
                                  .headers = {"Content-Type: application/x-protobuf"}},
                                 stop, remedy);
    });
}

}  // namespace decant::trace
