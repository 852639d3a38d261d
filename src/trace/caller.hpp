#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.hpp"
#include "trace/time.hpp"

namespace decant::trace {

/// The last of a dotted order's segments, and the first one's id.
struct ParentRun {
    std::string id;
    std::string trace_id;
    Time start;
};

/// None where `dotted_order` is none: "20251128T100000000000ZUUID" once or more, joined by points, no start before the
/// one in front of it.
std::optional<ParentRun> parse_dotted_order(std::string_view dotted_order);

/// What a request's headers tell of the trace that it belongs to.
struct Caller {
    std::string dotted_order = {};  ///< of the run that calls; empty: none, the request begins a trace
    json::object metadata = {};     ///< texts, numbers and booleans
    std::vector<std::string> tags = {};
    std::string project = {};        ///< empty: the configured one
    std::string otel_trace_id = {};  ///< 32 lower-case hexadecimal digits of a traceparent; empty: none
    std::string otel_span_id = {};   ///< 16 of them
};

struct CallerHeaders {
    std::string_view langsmith_trace = {};
    std::string_view baggage = {};
    std::string_view traceparent = {};
};

/// What is not understood is left out; so is what would have traces sent elsewhere (replicas, addresses, keys), and
/// what is longer than anybody's metadata. Pure, bounded, any thread; throws for no text.
Caller read_caller(const CallerHeaders& headers);

}  // namespace decant::trace
