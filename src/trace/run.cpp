#include "trace/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <random>
#include <utility>

#include "catalog/uuid.hpp"
#include "core/error.hpp"

namespace decant::trace {
namespace {

/// Besides the texts: the object itself, names of members, what stands between them.
constexpr std::size_t bytes_besides = 1536;

/// Clocks that differ by more are no clocks: the trace would lie in the future for ever.
constexpr std::chrono::minutes most_ahead{5};

std::mt19937_64& random_source() {
    thread_local std::mt19937_64 random{std::random_device{}()};
    return random;
}

/// RFC 9562. The 12 bits behind the milliseconds count, so that the first 8 bytes, which are an OpenTelemetry span's
/// id, differ within a trace.
std::string uuid_v7(Time start, std::uint64_t count) {
    const auto milliseconds =
        static_cast<std::uint64_t>(std::chrono::floor<std::chrono::milliseconds>(start).time_since_epoch().count());
    const std::uint64_t high = milliseconds << 16U | 0x7000U | (count & 0xfffU);
    const std::uint64_t low = (random_source()() & 0x3fffffffffffffffU) | 0x8000000000000000U;
    catalog::Uuid id{};
    for (std::size_t i = 0; i < 8; ++i) {
        id[i] = static_cast<unsigned char>(high >> (56 - 8 * i));
        id[8 + i] = static_cast<unsigned char>(low >> (56 - 8 * i));
    }
    return catalog::text_of(id);
}

std::string without_nul(std::string text) {
    std::ranges::replace(text, '\0', ' ');
    return text;
}

bool has_nul(const json::key_value_pair& entry) {
    return entry.key().find('\0') != std::string_view::npos;
}

/// PostgreSQL's jsonb holds no U+0000.
void drop_nul(json::value& value) {
    if (json::string* text = value.if_string()) {
        std::ranges::replace(*text, '\0', ' ');
    } else if (json::array* array = value.if_array()) {
        std::ranges::for_each(*array, drop_nul);
    } else if (json::object* object = value.if_object()) {
        if (std::ranges::any_of(*object, has_nul)) {
            json::object renamed;
            for (json::key_value_pair& entry : *object)
                renamed.emplace(without_nul(entry.key()), std::move(entry.value()));
            *object = std::move(renamed);
        }
        for (json::key_value_pair& entry : *object)
            drop_nul(entry.value());
    }
}

std::string text_of(json::object object) {
    json::value value = std::move(object);
    drop_nul(value);
    return json_text(value);
}

Run run_of(Span span, std::uint64_t count) {
    Run run{.id = uuid_v7(span.start, count),
            .trace_id = {},
            .dotted_order = {},
            .name = std::move(span.name),
            .type = span.type,
            .start = span.start,
            .end = span.end,
            .inputs = text_of(std::move(span.inputs)),
            .outputs = text_of(std::move(span.outputs)),
            .metadata = text_of(std::move(span.metadata)),
            .error = without_nul(std::move(span.error)),
            .first_token = span.first_token};
    run.dotted_order = dotted_text(run.start) + run.id;
    return run;
}

void shift(Span& span, std::chrono::microseconds by) {
    span.start += by;
    span.end += by;
    if (span.first_token) *span.first_token += by;
}

void keep_within(Span& span, const Span& parent) {
    span.start = std::clamp(span.start, parent.start, parent.end);
    span.end = std::clamp(span.end, span.start, parent.end);
    if (span.first_token) span.first_token = std::clamp(*span.first_token, span.start, span.end);
}

void keep_times(Trace& trace, const std::optional<ParentRun>& parent) {
    trace.root.end = std::max(trace.root.start, trace.root.end);
    if (parent && parent->start > trace.root.start) {
        const auto by = parent->start - trace.root.start;
        shift(trace.root, by);
        for (Span& child : trace.children)
            shift(child, by);
    }
    for (Span& child : trace.children)
        keep_within(child, trace.root);
}

std::int64_t count_of(Time time) {
    return time.time_since_epoch().count();
}

json::array tags_json(const Run& run) {
    json::array tags;
    for (const std::string& tag : run.tags)
        tags.emplace_back(tag);
    return tags;
}

}  // namespace

double share_of(const std::string& trace_id) {
    // The last 48 bits, which are random in every version.
    constexpr std::size_t digits = 12;
    return static_cast<double>(std::stoull(trace_id.substr(trace_id.size() - digits), nullptr, 16)) /
           static_cast<double>(1ULL << 48U);
}

std::size_t Run::bytes() const noexcept {
    std::size_t all = bytes_besides + inputs.size() + outputs.size() + metadata.size() + error.size() + name.size() +
                      dotted_order.size();
    for (const std::string& tag : tags)
        all += tag.size();
    return all;
}

Record record_of(Trace trace, double sampling_rate) {
    std::optional<ParentRun> parent = parse_dotted_order(trace.caller.dotted_order);
    if (parent && parent->start > trace.root.start + most_ahead) parent.reset();
    keep_times(trace, parent);
    for (const json::key_value_pair& entry : trace.caller.metadata)
        trace.root.metadata.emplace(entry.key(), entry.value());  // what is there already is ours, and stays
    std::uint64_t count = random_source()();
    Record record;
    Run root = run_of(std::move(trace.root), count++);
    root.trace_id = parent ? parent->trace_id : root.id;
    root.request_id = without_nul(std::move(trace.request_id));
    root.otel_span_id = trace.caller.otel_span_id;
    if (parent) {
        root.parent_id = parent->id;
        root.dotted_order = trace.caller.dotted_order + "." + root.dotted_order;
    }
    record.is_sampled = share_of(root.trace_id) < sampling_rate;
    record.runs.push_back(std::move(root));
    for (Span& child : trace.children) {
        Run run = run_of(std::move(child), count++);
        const Run& above = record.runs.front();
        run.trace_id = above.trace_id;
        run.parent_id = above.id;
        run.dotted_order = above.dotted_order + "." + run.dotted_order;
        record.runs.push_back(std::move(run));
    }
    std::vector<std::string> tags = std::move(trace.tags);
    tags.insert(tags.end(), trace.caller.tags.begin(), trace.caller.tags.end());
    record.runs.front().tags = std::move(tags);
    for (Run& run : record.runs) {
        run.project = without_nul(trace.caller.project);
        run.otel_trace_id = trace.caller.otel_trace_id;
        record.bytes += run.bytes();
    }
    return record;
}

json::object head_of(const Run& run) {
    json::object head{{"id", run.id},
                      {"trace_id", run.trace_id},
                      {"dotted_order", run.dotted_order},
                      {"name", run.name},
                      {"run_type", run_type_names[run.type]},
                      {"start_time", iso_text(run.start)},
                      {"end_time", iso_text(run.end)},
                      {"tags", tags_json(run)}};
    if (!run.parent_id.empty()) head["parent_run_id"] = run.parent_id;
    return head;
}

std::string line_of(const Run& run) {
    std::string line;
    line.reserve(run.bytes() + run.bytes() / 4);  // quotes within JSON within JSON
    const auto text = [&line](std::string_view before, std::string_view value) {
        line += before;
        append_json(line, value);
    };
    text(R"({"id":)", run.id);
    text(R"(,"trace_id":)", run.trace_id);
    text(R"(,"parent_id":)", run.parent_id);
    text(R"(,"dotted_order":)", run.dotted_order);
    text(R"(,"name":)", run.name);
    text(R"(,"type":)", run_type_names[run.type]);
    line += fmt::format(R"(,"start":{},"end":{})", count_of(run.start), count_of(run.end));
    text(R"(,"inputs":)", run.inputs);
    text(R"(,"outputs":)", run.outputs);
    text(R"(,"metadata":)", run.metadata);
    line += R"(,"tags":[)";
    for (const std::string& tag : run.tags)
        text(&tag == run.tags.data() ? "" : ",", tag);
    text(R"(],"error":)", run.error);
    line += R"(,"first_token":)";
    line += run.first_token ? std::to_string(count_of(*run.first_token)) : "null";
    text(R"(,"request_id":)", run.request_id);
    text(R"(,"project":)", run.project);
    text(R"(,"otel_trace_id":)", run.otel_trace_id);
    text(R"(,"otel_span_id":)", run.otel_span_id);
    return line + "}";
}

Run read_line(std::string_view line) {
    try {
        const json::object object = json::parse(line).as_object();
        const auto text = [&](std::string_view name) { return std::string{object.at(name).as_string()}; };
        const auto time = [](const json::value& value) { return Time{std::chrono::microseconds{value.as_int64()}}; };
        Run run{.id = text("id"),
                .trace_id = text("trace_id"),
                .parent_id = text("parent_id"),
                .dotted_order = text("dotted_order"),
                .name = text("name"),
                .type = run_type_names.find(text("type")).value_or(RunType::chain),
                .start = time(object.at("start")),
                .end = time(object.at("end")),
                .inputs = text("inputs"),
                .outputs = text("outputs"),
                .metadata = text("metadata"),
                .error = text("error"),
                .request_id = text("request_id"),
                .project = text("project"),
                .otel_trace_id = text("otel_trace_id"),
                .otel_span_id = text("otel_span_id")};
        for (const json::value& tag : object.at("tags").as_array())
            run.tags.emplace_back(tag.as_string());
        if (!object.at("first_token").is_null()) run.first_token = time(object.at("first_token"));
        return run;
    } catch (const std::exception&) {  // of Boost.JSON: no JSON, a member that is away or of another kind
        throw Error{ErrorCode::source_unreadable, "A stored run is none", "Its file is left out."};
    }
}

}  // namespace decant::trace
