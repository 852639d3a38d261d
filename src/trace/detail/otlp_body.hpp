#pragma once

#include <string>

#include "trace/sink.hpp"

namespace decant::trace::detail {

struct OtlpForm {
    std::string service = "decant";  ///< service.name
    std::string version;             ///< of decant
    std::string project = {};        ///< LangSmith's, for where it is the collector
    bool has_content = false;        ///< what was asked, found and answered is sent too
    bool hides_metadata = false;
};

/// An ExportTraceServiceRequest of OpenTelemetry (opentelemetry-proto 1.x) with the attributes of its conventions for
/// generative AI, and those by which LangSmith makes its own runs of spans.
std::string otlp_body(const Runs& runs, const OtlpForm& form);

}  // namespace decant::trace::detail
