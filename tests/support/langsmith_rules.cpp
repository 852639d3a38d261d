#include "tests/support/langsmith_rules.hpp"

#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <cctype>
#include <chrono>
#include <regex>
#include <set>

namespace decant::test {
namespace {

namespace json = boost::json;

/// d: a digit, x: a hexadecimal one; all else stands for itself.
constexpr std::string_view uuid_form = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
constexpr std::string_view segment_time_form = "ddddddddTddddddddddddZ";
const std::regex part_form{R"re(^(post|patch)\.([0-9a-f-]{36})(\.(inputs|outputs|events|extra|error|serialized))?$)re"};

constexpr std::array<std::string_view, 7> run_types{"llm",       "chain",  "tool",  "retriever",
                                                    "embedding", "prompt", "parser"};
constexpr std::array<std::string_view, 6> large_members{"inputs", "outputs", "events", "extra", "error", "serialized"};
constexpr std::array<std::string_view, 10> token_members{
    "input_tokens", "output_tokens", "total_tokens", "input_token_details", "output_token_details",
    "input_cost",   "output_cost",   "total_cost",   "input_cost_details",  "output_cost_details"};

template <typename List>
bool is_among(const List& list, std::string_view name) {
    return std::ranges::find(list, name) != list.end();
}

std::string text_in(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    return value == nullptr || !value->is_string() ? std::string{} : std::string{value->get_string()};
}

bool has_form(std::string_view text, std::string_view form) {
    return std::ranges::equal(text, form, [](char c, char wanted) {
        if (wanted == 'd') return c >= '0' && c <= '9';
        if (wanted == 'x') return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        return c == wanted;
    });
}

bool is_uuid(const std::string& text) {
    return has_form(text, uuid_form);
}

std::vector<std::string> split(const std::string& text, char at) {
    std::vector<std::string> parts;
    for (std::size_t from = 0;;) {
        const std::size_t end = text.find(at, from);
        parts.push_back(text.substr(from, end - from));
        if (end == std::string::npos) return parts;
        from = end + 1;
    }
}

struct Part {
    std::string name;
    std::string body;
    std::string type;
};

/// `head` begins behind a line's end.
std::string header_in(const std::string& head, const std::string& name) {
    for (std::size_t at = 0; at < head.size();) {
        const std::size_t end = std::min(head.find("\r\n", at), head.size());
        const std::string line = head.substr(at, end - at);
        const bool is_it = line.size() > name.size() + 1 && line[name.size()] == ':' &&
                           std::ranges::equal(name, line.substr(0, name.size()), [](char left, char right) {
                               return std::tolower(static_cast<unsigned char>(left)) ==
                                      std::tolower(static_cast<unsigned char>(right));
                           });
        if (is_it) return line.substr(line.find_first_not_of(' ', name.size() + 1));
        at = end + 2;
    }
    return {};
}

std::vector<Part> parts_of(const std::string& body, const std::string& boundary, std::vector<std::string>& faults) {
    std::vector<Part> parts;
    const std::string mark = "--" + boundary;
    std::size_t at = 0;
    while (body.compare(at, mark.size() + 2, mark + "\r\n") == 0) {
        at += mark.size() + 2;
        const std::size_t head_end = body.find("\r\n\r\n", at);
        if (head_end == std::string::npos) break;
        const std::string head = body.substr(at, head_end - at);
        const std::size_t end = body.find("\r\n" + mark, head_end + 4);
        if (end == std::string::npos) break;
        const std::string content = body.substr(head_end + 4, end - head_end - 4);
        static constexpr std::string_view form = "form-data; name=\"";
        const std::string disposition = header_in(head, "Content-Disposition");
        const std::size_t quote = disposition.find('"', form.size());
        const bool has_name = disposition.starts_with(form) && quote + 1 == disposition.size();
        const std::string name = has_name ? disposition.substr(form.size(), quote - form.size()) : "";
        if (name.empty()) faults.push_back("a part is no form-data with a name and no file: " + disposition);
        const std::string length = header_in(head, "Content-Length");
        if (length != std::to_string(content.size()))
            faults.push_back(fmt::format("Content-Length {} of a part of {} bytes", length, content.size()));
        parts.push_back({name, content, header_in(head, "Content-Type")});
        at = end + 2;
    }
    if (body.compare(at, std::string::npos, mark + "--\r\n") != 0) faults.emplace_back("the multipart body has no end");
    return parts;
}

std::string boundary_of(const StandInRequest& request, std::vector<std::string>& faults) {
    static const std::regex form{R"re(multipart/form-data; boundary="?([A-Za-z0-9'()+_,./:=?-]{1,70})"?)re"};
    std::smatch found;
    const auto type = request.headers.find("content-type");
    if (type != request.headers.end() && std::regex_match(type->second, found, form)) return found[1];
    faults.emplace_back("Content-Type is no multipart/form-data with a boundary");
    return "-";
}

std::string header_of(const StandInRequest& request, const std::string& name) {
    const auto found = request.headers.find(name);
    return found == request.headers.end() ? std::string{} : found->second;
}

std::string plain_body(const StandInRequest& request, std::vector<std::string>& faults) {
    const std::string encoding = header_of(request, "content-encoding");
    if (encoding.empty()) return request.body;
    if (encoding != "zstd") {
        faults.push_back("Content-Encoding: " + encoding);
        return {};
    }
    // The SDK streams its frames, so their size is not told in them.
    std::string plain;
    ZSTD_DCtx* context = ZSTD_createDCtx();
    ZSTD_inBuffer in{request.body.data(), request.body.size(), 0};
    std::size_t left = 1;
    while (in.pos < in.size && ZSTD_isError(left) == 0) {
        std::array<char, 65536> buffer{};
        ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
        left = ZSTD_decompressStream(context, &out, &in);
        plain.append(buffer.data(), out.pos);
        while (ZSTD_isError(left) == 0 && out.pos == out.size) {
            out.pos = 0;
            left = ZSTD_decompressStream(context, &out, &in);
            plain.append(buffer.data(), out.pos);
        }
    }
    ZSTD_freeDCtx(context);
    if (left != 0) faults.emplace_back("the body is no whole frame of zstd");
    if (header_of(request, "x-post-compressed-size") != std::to_string(request.body.size()))
        faults.push_back(fmt::format("X-Post-Compressed-Size '{}' of {} bytes",
                                     header_of(request, "x-post-compressed-size"), request.body.size()));
    return plain;
}

void check_sizes(Ingested& ingested, std::size_t bytes, const LangSmithLimits& limits) {
    std::set<std::string> runs;  // a post and its patch are one
    for (const RunOperation& operation : ingested.runs)
        runs.insert(text_in(operation.run, "id"));
    if (runs.size() > limits.runs) ingested.faults.push_back(fmt::format("{} runs in one request", runs.size()));
    if (bytes > limits.bytes) ingested.faults.push_back(fmt::format("{} bytes in one request", bytes));
}

void append(std::vector<std::string>& all, std::vector<std::string> more) {
    std::ranges::move(more, std::back_inserter(all));
}

std::string fault_of_member(const std::string& name, const json::value& value) {
    const bool is_right = name == "events"  ? value.is_array()
                          : name == "error" ? value.is_string() || value.is_null()
                                            : value.is_object() || value.is_null();
    return is_right ? "" : "a run's " + name + " is of another type";
}

void take_run_part(Ingested& ingested, const Part& part, const std::smatch& named, const json::value& value) {
    const bool is_post = named[1] == "post";
    const std::string id = named[2];
    const std::string member = named[4];
    if (member.empty()) {
        if (!value.is_object()) {
            ingested.faults.push_back(part.name + " is no object");
            return;
        }
        for (const std::string_view large : large_members)
            if (value.get_object().contains(large))
                ingested.faults.push_back(fmt::format("{} has {} in it", part.name, large));
        if (text_in(value.get_object(), "id") != id) ingested.faults.push_back(part.name + " is of another run");
        ingested.runs.push_back({is_post, value.get_object()});
        return;
    }
    const auto run = std::ranges::find_if(ingested.runs, [&](const RunOperation& operation) {
        return operation.is_post == is_post && text_in(operation.run, "id") == id;
    });
    if (run == ingested.runs.end()) {
        ingested.faults.push_back(part.name + " stands before its run");
        return;
    }
    if (std::string fault = fault_of_member(member, value); !fault.empty()) ingested.faults.push_back(fault);
    if (!run->run.emplace(member, value).second) ingested.faults.push_back(part.name + " comes twice");
}

void take_part(Ingested& ingested, const Part& part) {
    if (part.name.starts_with("attachment.")) return;  // decant has none
    if (part.type != "application/json") ingested.faults.push_back(part.name + " is no application/json");
    boost::system::error_code failed;
    const json::value value = json::parse(part.body, failed);
    std::smatch named;
    if (failed) {
        ingested.faults.push_back(part.name + " is no JSON");
    } else if (std::regex_match(part.name, named, part_form)) {
        take_run_part(ingested, part, named, value);
    } else if (part.name.starts_with("feedback.") && value.is_object()) {
        ingested.feedback.push_back(value.get_object());
    } else {
        ingested.faults.push_back("a part is named " + part.name);
    }
}

/// "20251128T100000123456Z".
std::int64_t microseconds_of_segment(const std::string& time) {
    return microseconds_of(fmt::format("{}-{}-{}T{}:{}:{}.{}Z", time.substr(0, 4), time.substr(4, 2), time.substr(6, 2),
                                       time.substr(9, 2), time.substr(11, 2), time.substr(13, 2), time.substr(15, 6)));
}

void check_dotted_order(const json::object& run, std::vector<std::string>& faults) {
    const std::string order = text_in(run, "dotted_order");
    const std::vector<std::string> segments = split(order, '.');
    std::vector<std::string> ids;
    std::int64_t before = 0;
    for (const std::string& segment : segments) {
        const std::string time = segment.substr(0, segment_time_form.size());
        const std::string id = segment.substr(time.size());
        if (!has_form(time, segment_time_form) || !is_uuid(id)) {
            faults.push_back("dotted_order is none: " + order);
            return;
        }
        const std::int64_t start = microseconds_of_segment(time);
        if (start < before) faults.push_back("a run starts before its parent: " + order);
        before = start;
        ids.push_back(id);
    }
    const std::string parent = text_in(run, "parent_run_id");
    if (ids.back() != text_in(run, "id")) faults.push_back("dotted_order ends with another id: " + order);
    if (ids.front() != text_in(run, "trace_id")) faults.push_back("dotted_order begins with another trace: " + order);
    if (ids.size() == 1 && !parent.empty()) faults.push_back("a root has a parent: " + order);
    if (ids.size() > 1 && ids[ids.size() - 2] != parent) faults.push_back("dotted_order has another parent: " + order);
    const std::string start = text_in(run, "start_time");
    if (!start.empty() && microseconds_of(start) != before)
        faults.push_back(fmt::format("start_time {} is not that of {}", start, order));
}

void check_tokens(const json::object& run, std::vector<std::string>& faults) {
    const auto check = [&](const json::value* holder) {
        const json::value* usage =
            holder == nullptr || !holder->is_object() ? nullptr : holder->get_object().if_contains("usage_metadata");
        if (usage == nullptr || usage->is_null()) return;
        for (const json::key_value_pair& entry : usage->as_object())
            if (!is_among(token_members, entry.key()))
                faults.push_back(fmt::format("usage_metadata has {}", std::string_view{entry.key()}));
    };
    check(run.if_contains("outputs"));
    const json::value* extra = run.if_contains("extra");
    if (extra != nullptr && extra->is_object()) check(extra->get_object().if_contains("metadata"));
}

void check_documents(const json::object& run, std::vector<std::string>& faults) {
    const json::value* outputs = run.if_contains("outputs");
    if (text_in(run, "run_type") != "retriever" || outputs == nullptr || !outputs->is_object()) return;
    const json::value* documents = outputs->get_object().if_contains("documents");
    if (documents == nullptr) return;
    for (const json::value& document : documents->as_array()) {
        const json::object& object = document.as_object();
        const bool is_whole =
            text_in(object, "type") == "Document" && object.contains("metadata") && object.contains("page_content");
        if (!is_whole) faults.emplace_back("a retriever's document is none");
    }
}

}  // namespace

std::int64_t microseconds_of(const std::string& time) {
    constexpr std::string_view form = "dddd-dd-ddTdd:dd:dd";
    if (!has_form(time.substr(0, form.size()), form)) return -1;
    std::string rest = time.substr(form.size());
    std::string fraction = "0";
    if (rest.starts_with('.')) {
        const std::size_t end = std::min(rest.find_first_not_of("0123456789", 1), rest.size());
        fraction = rest.substr(1, end - 1);
        rest.erase(0, end);
    }
    if (fraction.empty() || fraction.size() > 6 || (rest != "Z" && rest != "+00:00" && !rest.empty())) return -1;
    fraction.resize(6, '0');
    using namespace std::chrono;
    const auto number = [&](std::size_t at, std::size_t size) { return std::stoi(time.substr(at, size)); };
    const year_month_day date{year{number(0, 4)}, month{static_cast<unsigned>(number(5, 2))},
                              day{static_cast<unsigned>(number(8, 2))}};
    if (!date.ok()) return -1;
    const auto span =
        hours{number(11, 2)} + minutes{number(14, 2)} + seconds{number(17, 2)} + microseconds{std::stoi(fraction)};
    return (microseconds{sys_days{date}.time_since_epoch()} + span).count();
}

std::vector<std::string> faults_of(const RunOperation& operation) {
    const json::object& run = operation.run;
    std::vector<std::string> faults;
    for (const std::string_view name : {"id", "trace_id"})
        if (!is_uuid(text_in(run, name))) faults.push_back(fmt::format("{} is no UUID", name));
    if (!text_in(run, "parent_run_id").empty() && !is_uuid(text_in(run, "parent_run_id")))
        faults.emplace_back("parent_run_id is no UUID");
    check_dotted_order(run, faults);
    check_tokens(run, faults);
    check_documents(run, faults);
    const std::string start = text_in(run, "start_time");
    const std::string end = text_in(run, "end_time");
    if (!start.empty() && microseconds_of(start) < 0) faults.push_back("start_time is no time: " + start);
    if (!end.empty() && microseconds_of(end) < 0) faults.push_back("end_time is no time: " + end);
    if (!start.empty() && !end.empty() && microseconds_of(end) < microseconds_of(start))
        faults.emplace_back("a run ends before it starts");
    for (const std::string_view large : large_members)
        if (const json::value* value = run.if_contains(large))
            if (std::string fault = fault_of_member(std::string{large}, *value); !fault.empty())
                faults.push_back(fault);
    if (!operation.is_post) return faults;
    if (text_in(run, "name").empty()) faults.emplace_back("a run has no name");
    if (start.empty()) faults.emplace_back("a run has no start_time");
    if (!is_among(run_types, text_in(run, "run_type"))) faults.push_back("run_type " + text_in(run, "run_type"));
    const bool has_name = !text_in(run, "session_name").empty();
    const bool has_id = !text_in(run, "session_id").empty();
    if (has_name == has_id) faults.emplace_back("a run has not one of session_name and session_id");
    return faults;
}

std::vector<std::string> faults_between(const json::object& parent, const json::object& child) {
    std::vector<std::string> faults;
    if (text_in(parent, "trace_id") != text_in(child, "trace_id")) faults.emplace_back("the parent's trace is another");
    if (!text_in(child, "dotted_order").starts_with(text_in(parent, "dotted_order") + "."))
        faults.emplace_back("dotted_order does not go on from the parent's");
    if (microseconds_of(text_in(child, "start_time")) < microseconds_of(text_in(parent, "start_time")))
        faults.emplace_back("a child starts before its parent");
    const std::string parent_end = text_in(parent, "end_time");
    const std::string child_end = text_in(child, "end_time");
    if (!parent_end.empty() && !child_end.empty() && microseconds_of(child_end) > microseconds_of(parent_end))
        faults.emplace_back("a child ends after its parent");
    return faults;
}

std::vector<std::string> faults_of_feedback(const json::object& feedback) {
    std::vector<std::string> faults;
    for (const std::string_view name : {"id", "run_id", "trace_id"})
        if (!is_uuid(text_in(feedback, name))) faults.push_back(fmt::format("a feedback's {} is no UUID", name));
    if (text_in(feedback, "key").empty()) faults.emplace_back("a feedback has no key");
    const json::value* score = feedback.if_contains("score");
    if (score != nullptr && !score->is_number() && !score->is_bool()) faults.emplace_back("a score is no number");
    const json::value* source = feedback.if_contains("feedback_source");
    if (source != nullptr) {
        const std::string type = text_in(source->as_object(), "type");
        if (type != "api" && type != "model") faults.push_back("feedback_source.type " + type);
    }
    return faults;
}

Ingested read_multipart(const StandInRequest& request, const LangSmithLimits& limits) {
    Ingested ingested;
    const std::string boundary = boundary_of(request, ingested.faults);
    const std::string body = plain_body(request, ingested.faults);
    std::size_t content = 0;
    for (const Part& part : parts_of(body, boundary, ingested.faults)) {
        content += part.body.size();
        take_part(ingested, part);
    }
    // The SDK counts what the parts hold, and not what stands between them.
    const std::string told = header_of(request, "x-pre-compressed-size");
    if (!header_of(request, "content-encoding").empty() && told != std::to_string(content))
        ingested.faults.push_back(fmt::format("X-Pre-Compressed-Size '{}' of {} bytes", told, content));
    for (const RunOperation& operation : ingested.runs)
        append(ingested.faults, faults_of(operation));
    for (const json::object& feedback : ingested.feedback)
        append(ingested.faults, faults_of_feedback(feedback));
    check_sizes(ingested, body.size(), limits);
    return ingested;
}

Ingested read_batch(const StandInRequest& request, const LangSmithLimits& limits) {
    Ingested ingested;
    if (header_of(request, "content-type") != "application/json")
        ingested.faults.emplace_back("/runs/batch is not sent as JSON");
    const std::string body = plain_body(request, ingested.faults);
    boost::system::error_code failed;
    const json::value value = json::parse(body, failed);
    if (failed || !value.is_object()) {
        ingested.faults.emplace_back("/runs/batch: the body is no object");
        return ingested;
    }
    for (const json::key_value_pair& entry : value.get_object()) {
        const bool is_post = entry.key() == "post";
        if (!is_post && entry.key() != "patch")
            ingested.faults.emplace_back("/runs/batch has more than post and patch");
        for (const json::value& run : entry.value().as_array())
            ingested.runs.push_back({is_post, run.as_object()});
    }
    for (const RunOperation& operation : ingested.runs)
        append(ingested.faults, faults_of(operation));
    check_sizes(ingested, body.size(), limits);
    return ingested;
}

}  // namespace decant::test
