#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/settings.hpp"
#include "net/http_client.hpp"
#include "trace/detail/otlp_body.hpp"
#include "trace/langsmith.hpp"
#include "trace/sink.hpp"

namespace decant::trace {

struct OtlpSetup {
    net::Url url;  ///< of the collector, before /v1/traces
    std::vector<std::string> headers = {};
    detail::OtlpForm form;
    std::string sink_name = "otlp";
};

/// None where OTEL_EXPORTER_OTLP_ENDPOINT is not set. Throws Error{request_invalid}, Error{config_invalid}.
std::optional<OtlpSetup> otlp_setup(const Settings& settings, const std::string& version);

/// Of the collector by which LangSmith gets what `account` may have.
OtlpSetup otlp_setup_for(OtlpSetup collector, const LangSmithSetup& account);

/// LangSmith's own collector: where its account is, under its key.
OtlpSetup otlp_setup_of(const LangSmithSetup& account);

/// Sends runs as spans over OTLP/HTTP in its binary form: a collector of OpenTelemetry, Langfuse, LangSmith's /otel.
class OtlpSink final : public Sink {
public:
    explicit OtlpSink(OtlpSetup setup);

    std::string_view name() const noexcept override { return setup_.sink_name; }
    BatchLimits limits() const noexcept override { return {.runs = 512, .bytes = 4UL << 20U}; }
    Delivery deliver(const Runs& runs, const std::stop_token& stop) override;

private:
    OtlpSetup setup_;
    net::HttpClient client_;
};

}  // namespace decant::trace
