#include "tests/support/langsmith_server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace decant::test {
namespace {

namespace json = boost::json;

std::string text_in(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    return value == nullptr || !value->is_string() ? std::string{} : std::string{value->get_string()};
}

}  // namespace

LangSmithServer::LangSmithServer(LangSmithSetup setup)
    : setup_(std::move(setup)),
      http_([this](const StandInRequest& request) { return answer(request); }, {}, setup_.port) {}

void LangSmithServer::set_fault(Fault fault) {
    const std::lock_guard lock{mutex_};
    fault_ = std::move(fault);
}

void LangSmithServer::lose_answers(int count) {
    const std::lock_guard lock{mutex_};
    lost_answers_ = count;
}

std::vector<std::string> LangSmithServer::violations() const {
    const std::lock_guard lock{mutex_};
    return violations_;
}

std::size_t LangSmithServer::run_count() const {
    const std::lock_guard lock{mutex_};
    return runs_.size();
}

std::size_t LangSmithServer::repeats() const {
    const std::lock_guard lock{mutex_};
    return repeats_;
}

std::map<std::string, std::size_t> LangSmithServer::count_by_name() const {
    const std::lock_guard lock{mutex_};
    std::map<std::string, std::size_t> counts;
    for (const auto& [id, kept] : runs_)
        ++counts[kept.name];
    return counts;
}

std::map<std::string, json::object> LangSmithServer::runs() const {
    const std::lock_guard lock{mutex_};
    std::map<std::string, json::object> all;
    for (const auto& [id, kept] : runs_)
        if (!kept.run.empty()) all.emplace(id, kept.run);
    return all;
}

std::map<std::string, json::object> LangSmithServer::feedback() const {
    const std::lock_guard lock{mutex_};
    return feedback_;
}

LangSmithDatasets::Objects LangSmithServer::datasets() const {
    const std::lock_guard lock{mutex_};
    return datasets_.datasets();
}

LangSmithDatasets::Objects LangSmithServer::examples() const {
    const std::lock_guard lock{mutex_};
    return datasets_.examples();
}

LangSmithDatasets::Objects LangSmithServer::experiments() const {
    const std::lock_guard lock{mutex_};
    return datasets_.experiments();
}

std::vector<std::string> LangSmithServer::missing_parents() const {
    const std::lock_guard lock{mutex_};
    std::vector<std::string> missing;
    for (const auto& [id, kept] : runs_)
        if (!kept.parent.empty() && !runs_.contains(kept.parent)) missing.push_back(kept.parent);
    return missing;
}

std::string LangSmithServer::fault_of_head(const StandInRequest& request) const {
    const auto header = [&](const std::string& name) {
        const auto found = request.headers.find(name);
        return found == request.headers.end() ? std::string{} : found->second;
    };
    if (header("accept") != "application/json") return "Accept: " + header("accept");
    if (header("user-agent").empty()) return "no User-Agent";
    if (!setup_.workspace.empty() && header("x-tenant-id") != setup_.workspace) return "X-Tenant-Id is another";
    return {};
}

StandInAnswer LangSmithServer::info() const {
    return {.body = json::serialize(json::object{{"version", setup_.version},
                                                 {"instance_flags", {{"zstd_compression_enabled", setup_.takes_zstd}}},
                                                 {"batch_ingest_config",
                                                  {{"use_multipart_endpoint", true},
                                                   {"size_limit", setup_.limits.runs},
                                                   {"size_limit_bytes", setup_.limits.bytes},
                                                   {"scale_up_nthreads_limit", 16},
                                                   {"scale_up_qsize_trigger", 1000},
                                                   {"scale_down_nempty_trigger", 4}}}})};
}

StandInAnswer LangSmithServer::answer(const StandInRequest& request) {
    const std::lock_guard lock{mutex_};
    if (fault_)
        if (auto planned = fault_(request)) return *planned;
    return honest_answer(request);
}

StandInAnswer LangSmithServer::obeyed(const StandInRequest& request, StandInAnswer answer) {
    honest_answer(request);
    return answer;
}

/// Under the lock.
StandInAnswer LangSmithServer::honest_answer(const StandInRequest& request) {
    if (request.method == "GET" && request.target == "/info") return info();
    const auto key = request.headers.find("x-api-key");
    if (key == request.headers.end() || key->second != setup_.key) return {.status = 401, .body = "Invalid token"};
    if (std::string fault = fault_of_head(request); !fault.empty()) violations_.push_back(fault);
    if (request.method == "POST" && request.target == "/runs/multipart")
        return take_runs(read_multipart(request, setup_.limits));
    if (request.method == "POST" && request.target == "/runs/batch")
        return take_runs(read_batch(request, setup_.limits));
    if (request.method == "GET" && request.target.starts_with("/sessions?"))
        return {.body = json::serialize(json::array{json::object{{"id", session_id}, {"name", "one"}}})};
    if (request.target.starts_with("/feedback")) return take_feedback(request);
    if (auto answer = datasets_.answer(request, violations_)) return *answer;
    return {.status = 404, .body = "no such path"};
}

StandInAnswer LangSmithServer::take_runs(Ingested ingested) {
    std::vector<std::string> faults = std::move(ingested.faults);
    // A child may stand before its parent in one body.
    for (const bool posts : {true, false})
        for (RunOperation& operation : ingested.runs)
            if (operation.is_post == posts && faults.empty()) take(operation, faults);
    for (const RunOperation& operation : ingested.runs) {
        const auto parent = runs_.find(text_in(operation.run, "parent_run_id"));
        if (parent == runs_.end() || parent->second.run.empty() || !operation.is_post) continue;
        for (const std::string& fault : faults_between(parent->second.run, operation.run))
            faults.push_back(fault);
    }
    std::ranges::copy(faults, std::back_inserter(violations_));
    if (!faults.empty()) return {.status = 422, .body = faults.front()};
    for (json::object& said : ingested.feedback)
        std::ranges::move(faults_of_session(said), std::back_inserter(violations_));
    for (json::object& said : ingested.feedback)
        feedback_[text_in(said, "id")] = std::move(said);
    if (lost_answers_ > 0) {
        --lost_answers_;
        return {.status = 202, .body = "{}", .cut_after = 0};
    }
    return {.status = 202, .body = R"({"message":"Runs batch ingested"})"};
}

void LangSmithServer::take(RunOperation& operation, std::vector<std::string>& faults) {
    const std::string id = text_in(operation.run, "id");
    const std::size_t digest = std::hash<std::string>{}(json::serialize(operation.run));
    const auto known = runs_.find(id);
    if (!operation.is_post) {
        if (known == runs_.end()) {
            faults.push_back("a patch of a run that never came: " + id);
            return;
        }
        for (const json::key_value_pair& entry : operation.run)
            known->second.run[entry.key()] = entry.value();
        return;
    }
    if (known != runs_.end()) {
        ++repeats_;
        if (known->second.digest != digest) faults.push_back("a run comes again, and is another: " + id);
        return;
    }
    Kept kept{.name = text_in(operation.run, "name"),
              .parent = text_in(operation.run, "parent_run_id"),
              .session = text_in(operation.run, "session_id"),
              .digest = digest,
              .run = {}};
    for (std::string& fault : datasets_.faults_of_run(operation.run))
        faults.push_back(std::move(fault));
    if (runs_.size() < setup_.kept) kept.run = operation.run;
    runs_.emplace(id, std::move(kept));
}

/// Feedback that names a session names that of its run.
std::vector<std::string> LangSmithServer::faults_of_session(const json::object& feedback) const {
    const auto run = runs_.find(text_in(feedback, "run_id"));
    const std::string named = text_in(feedback, "session_id");
    if (named.empty() || run == runs_.end()) return {};
    const bool is_of_project = run->second.session.empty();
    if (named == (is_of_project ? session_id : run->second.session)) return {};
    return {"a feedback of another project"};
}

StandInAnswer LangSmithServer::take_feedback(const StandInRequest& request) {
    json::object said = json::parse(request.body).as_object();
    const std::vector<std::string> faults = faults_of_feedback(said);
    std::ranges::copy(faults, std::back_inserter(violations_));
    if (!faults.empty()) return {.status = 422, .body = faults.front()};
    const std::string id = text_in(said, "id");
    if (!runs_.contains(text_in(said, "run_id"))) return {.status = 404, .body = "run not found"};
    std::ranges::move(faults_of_session(said), std::back_inserter(violations_));
    if (request.method == "PATCH") {
        if (request.target != "/feedback/" + id || !feedback_.contains(id)) return {.status = 404};
        feedback_[id] = std::move(said);
        return {.body = "{}"};
    }
    if (request.method != "POST" || request.target != "/feedback") return {.status = 405};
    if (!feedback_.emplace(id, std::move(said)).second) return {.status = 409, .body = "it is there"};
    return {.body = "{}"};
}

}  // namespace decant::test
