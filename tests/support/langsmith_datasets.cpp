#include "tests/support/langsmith_datasets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "catalog/uuid.hpp"
#include "net/url.hpp"

namespace decant::test {
namespace {

namespace json = boost::json;

constexpr std::size_t most_of_page = 100;

std::string text_in(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    return value == nullptr || !value->is_string() ? std::string{} : std::string{value->get_string()};
}

bool is_object_in(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    return value != nullptr && value->is_object();
}

/// The value of a parameter of the query, decoded; empty: it is not there.
std::string parameter(const std::string& target, const std::string& name) {
    const std::size_t query = target.find('?');
    for (std::size_t at = query; at != std::string::npos; at = target.find('&', at + 1)) {
        const std::size_t end = std::min(target.find('&', at + 1), target.size());
        const std::string entry = target.substr(at + 1, end - at - 1);
        if (entry.starts_with(name + "=")) return net::percent_decoded(entry.substr(name.size() + 1));
    }
    return {};
}

bool has_name(const LangSmithDatasets::Objects& objects, const std::string& name) {
    return std::ranges::any_of(objects, [&](const auto& entry) { return text_in(entry.second, "name") == name; });
}

StandInAnswer taken(const json::value& body) {
    return {.body = json::serialize(body)};
}

}  // namespace

std::optional<StandInAnswer> LangSmithDatasets::answer(const StandInRequest& request, Faults& violations) {
    const std::string path = request.target.substr(0, request.target.find('?'));
    const std::string call = request.method + " " + path.substr(0, path.find('/', 1));
    const std::string rest = path.substr(std::min(path.find('/', 1), path.size()));
    const std::string id = rest.empty() ? "" : rest.substr(1);
    boost::system::error_code failed;
    const json::value body = request.body.empty() ? json::value{} : json::parse(request.body, failed);
    Faults faults;
    if (failed) faults.push_back(path + ": the body is no JSON");
    std::optional<StandInAnswer> answer;
    if (call == "GET /datasets") answer = find_datasets(request.target);
    if (call == "GET /examples") answer = list_examples(request.target, faults);
    if (call == "POST /datasets" && id.empty()) answer = make_dataset(body, faults);
    if (call == "POST /examples" && id == "bulk" && body.is_array()) answer = make_examples(body.get_array(), faults);
    if (call == "POST /examples" && id.empty()) answer = make_examples(json::array{body}, faults);
    if (call == "PATCH /examples") answer = change_example(id, body, faults);
    if (call == "POST /sessions" && id.empty()) answer = make_experiment(body, faults);
    if (call == "PATCH /sessions") answer = change_experiment(id, body, faults);
    std::ranges::copy(faults, std::back_inserter(violations));
    return faults.empty() ? answer : StandInAnswer{.status = 422, .body = faults.front()};
}

StandInAnswer LangSmithDatasets::find_datasets(const std::string& target) const {
    json::array found;
    for (const auto& [id, dataset] : datasets_)
        if (text_in(dataset, "name") == parameter(target, "name")) found.push_back(dataset);
    return taken(found);
}

StandInAnswer LangSmithDatasets::list_examples(const std::string& target, Faults& faults) const {
    if (!datasets_.contains(parameter(target, "dataset"))) faults.emplace_back("examples of no dataset are listed");
    const std::size_t limit = std::stoul("0" + parameter(target, "limit"));
    if (limit == 0 || limit > most_of_page) faults.push_back(fmt::format("a page of {} examples", limit));
    std::size_t skipped = std::stoul("0" + parameter(target, "offset"));
    json::array page;
    for (const auto& [id, example] : examples_) {
        if (text_in(example, "dataset_id") != parameter(target, "dataset") || page.size() == limit) continue;
        if (skipped > 0)
            --skipped;
        else
            page.push_back(example);
    }
    return taken(page);
}

StandInAnswer LangSmithDatasets::make_dataset(const json::value& body, Faults& faults) {
    if (!body.is_object()) return {.status = 422};
    json::object dataset = body.get_object();
    const std::string type = text_in(dataset, "data_type");
    if (text_in(dataset, "name").empty()) faults.emplace_back("a dataset has no name");
    if (type != "kv" && type != "llm" && type != "chat") faults.push_back("data_type " + type);
    if (dataset.contains("extra") && !is_object_in(dataset.at("extra").as_object(), "metadata"))
        faults.emplace_back("a dataset's extra has no metadata");
    if (!faults.empty()) return {.status = 422};
    if (has_name(datasets_, text_in(dataset, "name"))) return {.status = 409, .body = "it is there"};
    const std::string id = fmt::format("da7a5e70-0000-4000-8000-{:012}", datasets_.size() + 1);
    dataset["id"] = id;
    return taken(datasets_.emplace(id, std::move(dataset)).first->second);
}

void LangSmithDatasets::check_example(const json::value& value, Faults& faults) const {
    if (!value.is_object()) {
        faults.emplace_back("an example is no object");
        return;
    }
    const json::object& example = value.get_object();
    if (!catalog::parse_uuid(text_in(example, "id"))) faults.emplace_back("an example's id is no UUID");
    if (!datasets_.contains(text_in(example, "dataset_id"))) faults.emplace_back("an example of no dataset");
    for (const std::string_view name : {"inputs", "outputs", "metadata"})
        if (!is_object_in(example, name)) faults.push_back(fmt::format("an example has no {}", name));
    if (example.contains("split") && text_in(example, "split").empty()) faults.emplace_back("a split is no text");
}

/// All of them or none.
StandInAnswer LangSmithDatasets::make_examples(const json::array& wanted, Faults& faults) {
    if (wanted.empty()) faults.emplace_back("no examples are made");
    for (const json::value& value : wanted)
        check_example(value, faults);
    if (!faults.empty()) return {.status = 422};
    for (const json::value& value : wanted)
        if (examples_.contains(text_in(value.get_object(), "id"))) return {.status = 409, .body = "it is there"};
    for (const json::value& value : wanted)
        if (!examples_.emplace(text_in(value.get_object(), "id"), value.get_object()).second)
            faults.emplace_back("two examples of one id");
    return taken(wanted);
}

StandInAnswer LangSmithDatasets::change_example(const std::string& id, const json::value& body, Faults& faults) {
    const auto known = examples_.find(id);
    if (known == examples_.end() || !body.is_object()) return {.status = 404, .body = "no such example"};
    check_example(body, faults);
    if (faults.empty()) known->second = body.get_object();
    return taken(known->second);
}

StandInAnswer LangSmithDatasets::make_experiment(const json::value& body, Faults& faults) {
    if (!body.is_object()) return {.status = 422};
    const json::object& session = body.get_object();
    if (!catalog::parse_uuid(text_in(session, "id"))) faults.emplace_back("an experiment's id is no UUID");
    if (text_in(session, "name").empty()) faults.emplace_back("an experiment has no name");
    if (microseconds_of(text_in(session, "start_time")) < 0) faults.emplace_back("an experiment's start is no time");
    if (!datasets_.contains(text_in(session, "reference_dataset_id")))
        faults.emplace_back("an experiment of no dataset");
    if (!is_object_in(session, "extra") || !is_object_in(session.at("extra").as_object(), "metadata"))
        faults.emplace_back("an experiment has no extra.metadata");
    if (!faults.empty()) return {.status = 422};
    if (has_name(experiments_, text_in(session, "name")) || experiments_.contains(text_in(session, "id")))
        return {.status = 409, .body = "it is there"};
    experiments_.emplace(text_in(session, "id"), session);
    return taken(session);
}

StandInAnswer LangSmithDatasets::change_experiment(const std::string& id, const json::value& body, Faults& faults) {
    const auto known = experiments_.find(id);
    if (known == experiments_.end() || !body.is_object()) return {.status = 404, .body = "no such session"};
    const std::string end = text_in(body.get_object(), "end_time");
    if (microseconds_of(end) < microseconds_of(text_in(known->second, "start_time")))
        faults.push_back("an experiment ends at " + end);
    known->second["end_time"] = end;
    return taken(known->second);
}

std::vector<std::string> LangSmithDatasets::faults_of_run(const json::object& run) const {
    const std::string session = text_in(run, "session_id");
    const std::string example = text_in(run, "reference_example_id");
    if (session.empty()) return example.empty() ? Faults{} : Faults{"a run of a project names an example"};
    const auto experiment = experiments_.find(session);
    if (experiment == experiments_.end()) return {"a run of no session"};
    if (text_in(run, "parent_run_id").empty() && example.empty()) return {"a run of an experiment names no example"};
    const auto known = examples_.find(example);
    if (!example.empty() && (known == examples_.end() || text_in(known->second, "dataset_id") !=
                                                             text_in(experiment->second, "reference_dataset_id")))
        return {"a run's example is not of the experiment's dataset"};
    return {};
}

}  // namespace decant::test
