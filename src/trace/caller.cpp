#include "trace/caller.hpp"

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>

#include "catalog/uuid.hpp"
#include "core/split_list.hpp"
#include "core/utf8.hpp"
#include "net/url.hpp"

namespace decant::trace {
namespace {

constexpr std::size_t uuid_characters = 36;
constexpr std::size_t time_characters = 22;
constexpr std::size_t most_segments = 50;
constexpr std::size_t most_entries = 20;
constexpr std::size_t most_characters = 200;

/// In names of metadata: by these LangSmith's own programs have runs written elsewhere, or they hold a credential.
constexpr std::array<std::string_view, 6> dropped_words{"replica", "url", "endpoint", "address", "key", "token"};

bool is_hex(std::string_view text) {
    return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool is_zero(std::string_view digits) {
    return digits.find_first_not_of('0') == std::string_view::npos;
}

std::string lower(std::string_view text) {
    std::string out{text};
    std::ranges::transform(out, out.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return out;
}

bool is_dropped(std::string_view key) {
    const std::string name = lower(key);
    return key.empty() || key.size() > most_characters ||
           std::ranges::any_of(dropped_words,
                               [&](std::string_view word) { return name.find(word) != std::string::npos; });
}

json::object metadata_in(const std::string& text) {
    boost::system::error_code failed;
    const json::value value = json::parse(text, failed, {}, {.max_depth = 8});
    json::object out;
    if (failed || !value.is_object()) return out;
    for (const json::key_value_pair& entry : value.get_object()) {
        if (out.size() == most_entries) break;
        const json::value& held = entry.value();
        const bool is_short = held.is_string() && held.get_string().size() <= most_characters;
        if (!is_dropped(entry.key()) && (is_short || held.is_number() || held.is_bool()))
            out.emplace(entry.key(), held);
    }
    return out;
}

void take_baggage(std::string_view baggage, Caller& caller) {
    for (std::string_view entry : split_list(baggage)) {
        entry = entry.substr(0, entry.find(';'));  // what follows are properties
        const std::size_t equals = std::min(entry.find('='), entry.size());
        const std::string_view name = entry.substr(0, equals);
        const std::string value = valid_utf8(net::percent_decoded(entry.substr(std::min(equals + 1, entry.size()))));
        if (name == "langsmith-metadata") caller.metadata = metadata_in(value);
        if (name == "langsmith-project" && value.size() <= most_characters) caller.project = value;
        if (name != "langsmith-tags") continue;
        for (const std::string_view tag : split_list(value))
            if (tag.size() <= most_characters && caller.tags.size() < most_entries) caller.tags.emplace_back(tag);
    }
}

}  // namespace

std::optional<ParentRun> parse_dotted_order(std::string_view dotted_order) {
    ParentRun parent;
    Time before{};
    for (std::size_t segments = 1; segments <= most_segments; ++segments) {
        const std::size_t point = std::min(dotted_order.find('.'), dotted_order.size());
        const std::string_view segment = dotted_order.substr(0, point);
        if (segment.size() != time_characters + uuid_characters) return std::nullopt;
        const auto start = parse_dotted_time(segment.substr(0, time_characters));
        const std::string id = lower(segment.substr(time_characters));
        if (!start || *start < before || !catalog::parse_uuid(id)) return std::nullopt;
        if (segments == 1) parent.trace_id = id;
        parent.id = id;
        parent.start = before = *start;
        if (point == dotted_order.size()) return parent;
        dotted_order.remove_prefix(point + 1);
    }
    return std::nullopt;
}

Caller read_caller(const CallerHeaders& headers) {
    Caller caller;
    if (parse_dotted_order(headers.langsmith_trace)) {
        caller.dotted_order = headers.langsmith_trace;
        take_baggage(headers.baggage, caller);
    }
    // W3C Trace Context: version, 32 digits of the trace, 16 of the calling span, flags.
    const std::string_view parent = headers.traceparent;
    if (parent.size() < 55 || parent[2] != '-' || parent[35] != '-' || parent[52] != '-') return caller;
    const std::string_view trace = parent.substr(3, 32);
    const std::string_view span = parent.substr(36, 16);
    if (!is_hex(trace) || !is_hex(span) || is_zero(trace) || is_zero(span)) return caller;
    caller.otel_trace_id = trace;
    caller.otel_span_id = span;
    return caller;
}

}  // namespace decant::trace
