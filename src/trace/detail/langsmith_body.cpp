#include "trace/detail/langsmith_body.hpp"

#include <fmt/format.h>

#include <random>

namespace decant::trace::detail {
namespace {

json::object head_for(const Run& run, const LangSmithForm& form) {
    json::object head = head_of(run);
    if (form.session_id.empty())
        head["session_name"] = run.project.empty() ? form.project : run.project;
    else
        head["session_id"] = form.session_id;
    if (const auto example = form.examples.find(run.id); example != form.examples.end())
        head["reference_example_id"] = example->second;
    return head;
}

/// The large members of a run, as JSON text; empty: it has none.
struct Members {
    std::string inputs;
    std::string outputs;
    std::string events;
    std::string extra;
    std::string error;
};

std::string extra_of(const Run& run, const LangSmithForm& form) {
    const json::object runtime{{"sdk", "decant"}, {"sdk_version", form.version}, {"runtime", "c++"}};
    return fmt::format(R"({{"metadata":{},"runtime":{}}})", form.hides_metadata ? "{}" : run.metadata,
                       json_text(runtime));
}

Members members_of(const Run& run, const LangSmithForm& form) {
    Members members{.inputs = form.hides_inputs ? "{}" : run.inputs,
                    .outputs = form.hides_outputs ? "{}" : run.outputs,
                    .extra = extra_of(run, form)};
    if (run.first_token)
        members.events =
            json_text(json::array{json::object{{"name", "new_token"}, {"time", iso_text(*run.first_token)}}});
    if (!run.error.empty()) members.error = json_text(json::value(run.error));
    return members;
}

void add_part(Multipart& out, std::string_view name, const std::string& json) {
    if (json.empty()) return;
    out.content_bytes += json.size();
    out.body += fmt::format(
        "--{}\r\nContent-Disposition: form-data; name=\"{}\"\r\nContent-Type: application/json\r\n"
        "Content-Length: {}\r\n\r\n{}\r\n",
        out.boundary, name, json.size(), json);
}

Multipart begun() {
    thread_local std::mt19937_64 random{std::random_device{}()};
    return {.body = {}, .boundary = fmt::format("decant-{:016x}{:016x}", random(), random())};
}

}  // namespace

Multipart multipart_of(const Runs& runs, const LangSmithForm& form) {
    Multipart out = begun();
    for (const Run* run : runs) {
        const std::string name = "post." + run->id;
        const Members members = members_of(*run, form);
        add_part(out, name, json_text(head_for(*run, form)));
        add_part(out, name + ".inputs", members.inputs);
        add_part(out, name + ".outputs", members.outputs);
        add_part(out, name + ".events", members.events);
        add_part(out, name + ".extra", members.extra);
        add_part(out, name + ".error", members.error);
    }
    out.body += fmt::format("--{}--\r\n", out.boundary);
    return out;
}

Multipart multipart_of(const std::vector<json::object>& feedback) {
    Multipart out = begun();
    for (const json::object& said : feedback)
        add_part(out, fmt::format("feedback.{}", std::string_view{said.at("id").as_string()}), json_text(said));
    out.body += fmt::format("--{}--\r\n", out.boundary);
    return out;
}

std::string batch_of(const Runs& runs, const LangSmithForm& form) {
    std::string body = R"({"post":[)";
    for (const Run* run : runs) {
        const Members members = members_of(*run, form);
        std::string head = json_text(head_for(*run, form));
        head.pop_back();
        body += fmt::format(R"({}{},"inputs":{},"outputs":{},"extra":{})", run == runs.front() ? "" : ",", head,
                            members.inputs, members.outputs, members.extra);
        if (!members.events.empty()) body += fmt::format(R"(,"events":{})", members.events);
        if (!members.error.empty()) body += fmt::format(R"(,"error":{})", members.error);
        body += "}";
    }
    return body + R"(],"patch":[]})";
}

}  // namespace decant::trace::detail
