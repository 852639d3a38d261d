#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/enum_names.hpp"
#include "core/json.hpp"
#include "trace/caller.hpp"
#include "trace/time.hpp"

/// trace/: what requests did, as trees of runs, to where they are looked at: PostgreSQL, LangSmith, a collector of
/// OpenTelemetry. A request tells a Trace and never waits; everything after that is done by threads of this folder,
/// within bounds of memory and disk.
namespace decant::trace {

/// As LangSmith calls them.
enum class RunType { chain, llm, retriever, embedding, parser };
inline constexpr EnumNames<RunType, 5> run_type_names{{"chain", "llm", "retriever", "embedding", "parser"}};

/// One step of a request.
struct Span {
    std::string name;
    RunType type = RunType::chain;
    Time start;
    Time end;
    json::object inputs = {};
    json::object outputs = {};
    json::object metadata = {};
    std::string error = {};                ///< empty: none
    std::optional<Time> first_token = {};  ///< of an LLM that streams
};

/// What one request tells at its end.
struct Trace {
    Span root;
    std::vector<Span> children = {};
    std::vector<std::string> tags = {};
    std::string request_id = {};  ///< what feedback calls the answer by
    Caller caller = {};
};

/// A span with its place in a tree, as every sink takes it. JSON is text by now: it is sent several times.
struct Run {
    std::string id;
    std::string trace_id;
    std::string parent_id = {};  ///< empty: the trace's root
    std::string dotted_order;
    std::string name;
    RunType type = RunType::chain;
    Time start;
    Time end;
    std::string inputs = "{}";
    std::string outputs = "{}";
    std::string metadata = "{}";
    std::vector<std::string> tags = {};
    std::string error = {};
    std::optional<Time> first_token = {};
    std::string request_id = {};     ///< of the run that a request is
    std::string project = {};        ///< that the caller asked for; empty: the configured one
    std::string otel_trace_id = {};  ///< of a caller's traceparent
    std::string otel_span_id = {};   ///< that is the parent there; only of the run that a request is

    /// About what it takes in memory, and what it is when it is sent.
    std::size_t bytes() const noexcept;
};

/// All runs of one request, parents first.
struct Record {
    std::vector<Run> runs;
    std::size_t bytes = 0;
    bool is_sampled = true;  ///< LangSmith gets it
};
using SharedRecord = std::shared_ptr<const Record>;

/// Gives the spans ids (UUIDv7 of their starts) and dotted orders. No child starts before its parent or ends after it;
/// where the caller's clock is ahead, all move behind the caller's start. `sampling_rate` is from 0 to 1 and decides by
/// the trace's id, so that all programs of one trace decide alike.
Record record_of(Trace trace, double sampling_rate);

/// From 0 to 1, even among traces: what is below the sampling rate is sampled.
double share_of(const std::string& trace_id);

/// One line of JSON, and back. Throws Error{source_unreadable} for what is none.
std::string line_of(const Run& run);
Run read_line(std::string_view line);

/// The run as LangSmith takes it, without its large members.
json::object head_of(const Run& run);

}  // namespace decant::trace
