#include "trace/detail/otlp_body.hpp"

#include <fmt/format.h>

#include <boost/json/parse.hpp>

#include "catalog/uuid.hpp"
#include "trace/detail/protobuf.hpp"

namespace decant::trace::detail {
namespace {

// Field numbers of opentelemetry/proto/trace/v1/trace.proto and common.proto.
enum KeyValueField : std::uint32_t { key = 1, value = 2 };
enum AnyValueField : std::uint32_t { string_value = 1, bool_value = 2, int_value = 3, double_value = 4 };
enum SpanField : std::uint32_t {
    trace_id = 1,
    span_id = 2,
    parent_span_id = 4,
    name = 5,
    kind = 6,
    start_time = 7,
    end_time = 8,
    attributes = 9,
    events = 11,
    status = 15
};
enum EventField : std::uint32_t { event_time = 1, event_name = 2, event_attributes = 3 };
enum StatusField : std::uint32_t { status_message = 2, status_code = 3 };
enum SpanKind : std::uint64_t { internal = 1, server = 2, client = 3 };
constexpr std::uint64_t status_error = 2;

std::uint64_t nanoseconds(Time time) {
    return static_cast<std::uint64_t>(std::chrono::nanoseconds{time.time_since_epoch()}.count());
}

/// The bytes of a uuid, or its first 8: a span's id.
std::string uuid_bytes(const std::string& text, std::size_t count) {
    const auto id = catalog::parse_uuid(text);
    return id ? std::string{id->begin(), id->begin() + static_cast<std::ptrdiff_t>(count)} : std::string{};
}

std::string hex_bytes(const std::string& digits) {
    std::string out;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
        out += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
    return out;
}

Message attribute(std::string_view name, const json::value& held) {
    Message any;
    if (held.is_string())
        any.set_bytes(string_value, held.get_string());
    else if (held.is_bool())
        any.set_number(bool_value, held.get_bool() ? 1 : 0);
    else if (held.is_int64())
        any.set_number(int_value, static_cast<std::uint64_t>(held.get_int64()));
    else if (held.is_uint64())
        any.set_number(int_value, held.get_uint64());
    else if (held.is_double())
        any.add_double(double_value, held.get_double());
    else
        any.set_bytes(string_value, json_text(held));
    Message pair;
    pair.add_bytes(key, name);
    pair.add_message(value, any);
    return pair;
}

/// [{role, content}] in the form of gen_ai.*.messages.
json::array with_parts(const json::value& messages) {
    json::array out;
    for (const json::value& message : messages.as_array())
        out.push_back(
            json::object{{"role", message.at("role")},
                         {"parts", json::array{json::object{{"type", "text"}, {"content", message.at("content")}}}}});
    return out;
}

/// The span of one run.
class SpanWriter {
public:
    SpanWriter(const Run& run, const OtlpForm& form)
        : run_(run),
          form_(form),
          metadata_(form.hides_metadata ? json::object{} : json::parse(run.metadata).as_object()) {}

    Message written() {
        const std::string trace =
            run_.otel_trace_id.empty() ? uuid_bytes(run_.trace_id, 16) : hex_bytes(run_.otel_trace_id);
        const bool is_called = !run_.otel_span_id.empty();
        span_.add_bytes(trace_id, trace);
        span_.add_bytes(span_id, uuid_bytes(run_.id, 8));
        span_.add_bytes(parent_span_id, is_called ? hex_bytes(run_.otel_span_id) : uuid_bytes(run_.parent_id, 8));
        span_.add_bytes(name, span_name());
        span_.add_number(kind, span_kind());
        span_.add_fixed64(start_time, nanoseconds(run_.start));
        span_.add_fixed64(end_time, nanoseconds(run_.end));
        add_langsmith();
        add_gen_ai();
        if (form_.has_content) add_content();
        if (!run_.error.empty()) add_error();
        return std::move(span_);
    }

private:
    void add(std::string_view attribute_name, const json::value& held) {
        span_.add_message(attributes, attribute(attribute_name, held));
    }
    void add(std::string_view attribute_name, std::string_view text) { add(attribute_name, json::value(text)); }
    const json::value* metadata(std::string_view member) const { return metadata_.if_contains(member); }
    void add_metadata(std::string_view attribute_name, std::string_view member) {
        if (const json::value* held = metadata(member)) add(attribute_name, *held);
    }
    bool is_request() const { return run_.type == RunType::chain; }
    bool is_agent() const { return is_request() && run_.name == "product_agent"; }

    std::string_view operation() const {
        if (run_.type == RunType::llm) return "chat";
        if (run_.type == RunType::embedding) return "embeddings";
        if (run_.type == RunType::retriever) return "retrieval";
        return is_agent() ? "invoke_agent" : "";
    }

    std::string span_name() const {
        const json::value* model = metadata("ls_model_name");
        if (model != nullptr && model->is_string() && !operation().empty())
            return fmt::format("{} {}", operation(), std::string_view{model->get_string()});
        return is_agent() ? fmt::format("invoke_agent {}", run_.name) : run_.name;
    }
    std::uint64_t span_kind() const {
        if (is_request()) return server;
        return run_.type == RunType::llm ? client : internal;
    }

    void add_langsmith() {
        add("langsmith.trace.name", run_.name);
        add("langsmith.span.kind", run_type_names[run_.type]);
        add("langsmith.trace.id", run_.trace_id);
        add("langsmith.span.id", run_.id);
        if (!run_.parent_id.empty()) add("langsmith.span.parent_id", run_.parent_id);
        add("langsmith.span.dotted_order", run_.dotted_order);
        const std::string& project = run_.project.empty() ? form_.project : run_.project;
        if (!project.empty()) add("langsmith.trace.session_name", project);
        if (!run_.tags.empty()) add("langsmith.span.tags", fmt::format("{}", fmt::join(run_.tags, ",")));
        for (const json::key_value_pair& entry : metadata_)
            if (!entry.value().is_structured())
                add(fmt::format("langsmith.metadata.{}", std::string_view{entry.key()}), entry.value());
    }

    void add_gen_ai() {
        if (!operation().empty()) add("gen_ai.operation.name", operation());
        if (is_agent()) add("gen_ai.agent.name", run_.name);
        add_metadata("gen_ai.provider.name", "ls_provider");
        add_metadata("gen_ai.system", "ls_provider");  // its former name, which LangSmith reads
        add_metadata("gen_ai.request.model", "ls_model_name");
        add_metadata("gen_ai.request.temperature", "ls_temperature");
        add_metadata("gen_ai.request.max_tokens", "ls_max_tokens");
        add_metadata("gen_ai.conversation.id", "conversation_id");
        if (run_.type == RunType::llm) add_metadata("gen_ai.response.model", "ls_model_name");
        if (const json::value* usage = metadata("usage_metadata"); usage != nullptr && usage->is_object()) {
            for (const std::string_view side : {"input_tokens", "output_tokens"})
                if (const json::value* tokens = usage->get_object().if_contains(side))
                    add(fmt::format("gen_ai.usage.{}", side), *tokens);
        }
        if (run_.first_token) {
            const std::chrono::duration<double> span = *run_.first_token - run_.start;
            add("gen_ai.request.stream", json::value(true));
            add("gen_ai.response.time_to_first_chunk", json::value(span.count()));
        }
    }

    void add_content() {
        add("input.value", run_.inputs);
        add("output.value", run_.outputs);
        const json::value inputs = json::parse(run_.inputs);
        const json::value outputs = json::parse(run_.outputs);
        if (run_.type == RunType::llm) {
            if (const json::value* messages = inputs.as_object().if_contains("messages"))
                add("gen_ai.input.messages", json_text(with_parts(*messages)));
            if (const json::value* messages = outputs.as_object().if_contains("messages"))
                add("gen_ai.output.messages", json_text(with_parts(*messages)));
        }
        const json::value* documents = outputs.as_object().if_contains("documents");
        if (documents == nullptr) return;
        std::size_t count = 0;
        for (const json::value& document : documents->as_array()) {
            const std::string prefix = fmt::format("retrieval.documents.{}.document", count++);
            add(prefix + ".content", document.at("page_content"));
            add(prefix + ".metadata", document.at("metadata"));
        }
    }

    void add_error() {
        const std::string type = run_.error.substr(0, run_.error.find(':'));
        add("error.type", type);
        Message event;
        event.add_fixed64(event_time, nanoseconds(run_.end));
        event.add_bytes(event_name, "exception");
        event.add_message(event_attributes, attribute("exception.type", json::value(type)));
        event.add_message(event_attributes, attribute("exception.message", json::value(run_.error)));
        span_.add_message(events, event);
        Message failed;
        failed.add_bytes(status_message, run_.error);
        failed.add_number(status_code, status_error);
        span_.add_message(status, failed);
    }

    const Run& run_;
    const OtlpForm& form_;
    json::object metadata_;
    Message span_;
};

}  // namespace

std::string otlp_body(const Runs& runs, const OtlpForm& form) {
    constexpr std::uint32_t first = 1;
    constexpr std::uint32_t second = 2;
    Message resource;
    resource.add_message(first, attribute("service.name", json::value(form.service)));
    resource.add_message(first, attribute("service.version", json::value(form.version)));
    Message scope;
    scope.add_bytes(first, "decant");
    scope.add_bytes(second, form.version);
    Message scope_spans;
    scope_spans.add_message(first, scope);
    for (const Run* run : runs)
        scope_spans.add_message(second, SpanWriter{*run, form}.written());
    Message resource_spans;
    resource_spans.add_message(first, resource);
    resource_spans.add_message(second, scope_spans);
    Message request;
    request.add_message(first, resource_spans);
    return request.bytes();
}

}  // namespace decant::trace::detail
