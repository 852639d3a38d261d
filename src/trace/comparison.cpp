#include "trace/comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <chrono>
#include <map>
#include <random>
#include <span>

#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/json_members.hpp"
#include "core/utf8.hpp"
#include "trace/detail/http_sink.hpp"
#include "trace/detail/named_uuid.hpp"

namespace decant::trace {
namespace {

using namespace std::chrono_literals;

constexpr int tries = 3;
/// Of feedback whose run is still on its way within LangSmith.
constexpr int tries_of_feedback = 6;
constexpr std::chrono::milliseconds first_pause = 500ms;
constexpr std::chrono::milliseconds longest_pause = 60s;

constexpr std::size_t page = 100;
constexpr int not_found = 404;
constexpr int conflict = 409;
constexpr int too_many = 429;

constexpr std::string_view later_remedy =
    "Run the command again when LangSmith is back: dataset and examples are known again, the experiments are new ones.";
constexpr std::string_view key_remedy =
    "Set LANGSMITH_API_KEY to a key that may write datasets of that workspace, and LANGSMITH_WORKSPACE_ID where the "
    "key "
    "is the organisation's.";

Error error_of(int status, const std::string& said) {
    const std::string happened = fmt::format("LangSmith does not take the comparison: {}", said);
    if (status == 401 || status == 403) return {ErrorCode::forbidden, happened, std::string{key_remedy}};
    if (status == too_many) return {ErrorCode::rate_limited, happened, std::string{later_remedy}};
    if (status == 0 || status == 408 || status >= 500)
        return {ErrorCode::source_unavailable, happened, std::string{later_remedy}};
    return {ErrorCode::request_invalid, happened,
            "Check that LANGSMITH_ENDPOINT is LangSmith's API, and that its version has datasets and experiments."};
}

net::HttpService service_of(const LangSmithSetup& setup) {
    net::HttpService service = langsmith_service(setup);
    service.unavailable_remedy = fmt::format("Check LANGSMITH_ENDPOINT. {}", later_remedy);
    service.first_pause = first_pause;
    return service;
}

std::string text_in(const json::object& object, std::string_view name) {
    return text_member(object, name).value_or("");
}

json::object json_of(const Example& example, const std::string& id, const std::string& dataset) {
    json::object out{{"id", id},
                     {"dataset_id", dataset},
                     {"inputs", example.inputs},
                     {"outputs", example.outputs},
                     {"metadata", example.metadata}};
    if (!example.split.empty()) out["split"] = example.split;
    return out;
}

json::object feedback_of(const Run& run, const std::pair<std::string, double>& score, const std::string& session) {
    const std::string time = iso_text(run.end);
    return {{"id", detail::named_uuid(fmt::format("decant score\n{}\n{}", run.id, score.first))},
            {"key", score.first},
            {"score", score.second},
            {"run_id", run.id},
            {"trace_id", run.trace_id},
            {"session_id", session},
            {"start_time", iso_text(run.start)},
            {"created_at", time},
            {"modified_at", time},
            {"feedback_source", {{"type", "model"}, {"metadata", {{"evaluator", "decant eval"}}}}},
            {"extend_trace_retention", false}};
}

class Upload {
public:
    Upload(const Comparison& comparison, const LangSmithSetup& setup, const UploadProgress& progress)
        : comparison_(comparison), setup_(setup), progress_(progress), client_(service_of(setup)) {
        total_ = comparison.examples.size();
        for (const OfflineExperiment& experiment : comparison.experiments)
            for (const ExampleRun& run : experiment.runs)
                total_ += 1 + run.scores.size();
    }

    UploadedComparison run() {
        put_dataset();
        put_examples();
        for (const OfflineExperiment& experiment : comparison_.experiments)
            put_experiment(experiment);
        return std::move(uploaded_);
    }

private:
    struct Answer {
        bool is_conflict = false;  ///< it is there already
        json::value body = {};
    };

    Answer ask(net::HttpRequest request) {
        request.tries = tries;
        const net::HttpResponse response = client_.send(request);
        if (response.status == conflict) return {.is_conflict = true};
        const auto refused = [&](std::string_view why) {
            const std::string path = request.path.substr(0, request.path.find('?'));
            return error_of(response.status,
                            fmt::format("{} {} {}", path, why, detail::shown_body(response, client_.service())));
        };
        if (!response.is_ok()) throw refused(fmt::format("is answered with {}:", response.status));
        boost::system::error_code failed;
        Answer answer{.body = json::parse(response.body.empty() ? "{}" : response.body, failed)};
        if (failed) throw refused("is answered with what is no JSON:");
        return answer;
    }

    Answer post(const std::string& path, const json::value& body, std::string method = "POST") {
        return ask({.path = path, .body = json_text(body), .method = std::move(method)});
    }

    void advance(std::size_t count) { progress_(done_ += count, total_); }

    std::string find_dataset() {
        const Answer found = ask({.path = "/datasets?limit=1&name=" + net::url_segment(comparison_.dataset)});
        if (!found.body.is_array()) return {};
        for (const json::value& one : found.body.get_array())
            if (one.is_object() && text_in(one.get_object(), "name") == comparison_.dataset)
                return text_in(one.get_object(), "id");
        return {};
    }

    void put_dataset() {
        std::string& id = uploaded_.dataset_id = find_dataset();
        if (!id.empty()) return;
        const Answer made = post("/datasets", json::object{{"name", comparison_.dataset},
                                                           {"description", comparison_.description},
                                                           {"data_type", "kv"},
                                                           {"extra", {{"metadata", {{"made_by", "decant eval"}}}}}});
        uploaded_.is_new_dataset = !made.is_conflict;
        // Made meanwhile by somebody else, or by a request whose answer was lost.
        id = made.is_conflict ? find_dataset() : made.body.is_object() ? text_in(made.body.get_object(), "id") : "";
        if (id.empty())
            throw error_of(conflict, fmt::format("it tells no id of dataset '{}'", printable(comparison_.dataset)));
    }

    std::string id_of(const Example& example) const {
        return detail::named_uuid(fmt::format("decant example\n{}\n{}", uploaded_.dataset_id, example.key));
    }

    /// By id.
    std::map<std::string, json::object> known_examples() {
        std::map<std::string, json::object> known;
        for (std::size_t offset = 0;; offset += page) {
            Answer told = ask(
                {.path = fmt::format("/examples?dataset={}&limit={}&offset={}", uploaded_.dataset_id, page, offset)});
            if (!told.body.is_array() || told.body.get_array().empty()) return known;
            for (json::value& one : told.body.get_array())
                if (one.is_object()) known.emplace(text_in(one.get_object(), "id"), std::move(one.get_object()));
            if (told.body.get_array().size() < page) return known;
        }
    }

    void put_examples() {
        const std::map<std::string, json::object> known =
            uploaded_.is_new_dataset ? std::map<std::string, json::object>{} : known_examples();
        json::array fresh;
        for (const Example& example : comparison_.examples) {
            const std::string id = id_of(example);
            json::object wanted = json_of(example, id, uploaded_.dataset_id);
            const auto there = known.find(id);
            if (there == known.end()) {
                fresh.push_back(std::move(wanted));
                continue;
            }
            const auto is_same = [&](std::string_view name) {
                const json::value* value = there->second.if_contains(name);
                return value != nullptr && *value == wanted.at(name);
            };
            if (!is_same("inputs") || !is_same("outputs")) {
                post("/examples/" + id, wanted, "PATCH");
                ++uploaded_.changed_examples;
            }
            advance(1);
        }
        for (std::size_t at = 0; at < fresh.size(); at += page)
            put_fresh(json::array(fresh.begin() + at, fresh.begin() + std::min(at + page, fresh.size())));
    }

    void put_fresh(const json::array& examples) {
        if (post("/examples/bulk", examples).is_conflict)  // one of them came meanwhile, and none was taken
            for (const json::value& example : examples)
                post("/examples", example);
        uploaded_.new_examples += examples.size();
        advance(examples.size());
    }

    void put_experiment(const OfflineExperiment& experiment) {
        std::random_device random;
        const std::string id = detail::named_uuid(
            fmt::format("decant experiment\n{}\n{}\n{}{}", experiment.name, iso_text(now()), random(), random()));
        const std::string name = fmt::format("{}-{}", experiment.name, id.substr(0, 8));
        std::vector<Record> records;
        LangSmithSetup setup = setup_;
        setup.form.session_id = id;
        Time start = now();
        Time end = start;
        for (std::size_t i = 0; i < experiment.runs.size(); ++i) {
            records.push_back(record_of({.root = experiment.runs[i].span}, 1));
            const Run& run = records.back().runs.front();
            setup.form.examples.emplace(run.id, id_of(comparison_.examples.at(i)));
            start = std::min(start, run.start);
            end = i == 0 ? run.end : std::max(end, run.end);
        }
        post("/sessions", json::object{{"id", id},
                                       {"name", name},
                                       {"start_time", iso_text(start)},
                                       {"reference_dataset_id", uploaded_.dataset_id},
                                       {"description", comparison_.description},
                                       {"extra", {{"metadata", experiment.metadata}}},
                                       {"num_examples", experiment.runs.size()}});
        LangSmithSink sink{std::move(setup)};
        put_runs(sink, records);
        put_scores(sink, records, experiment, id);
        post("/sessions/" + id, json::object{{"end_time", iso_text(end)}}, "PATCH");
        uploaded_.experiments.push_back(name);
    }

    void put_runs(LangSmithSink& sink, const std::vector<Record>& records) {
        for (std::size_t at = 0; at < records.size(); at += page) {
            Runs runs;
            for (const Record& record : std::span{records}.subspan(at, std::min(page, records.size() - at)))
                runs.push_back(&record.runs.front());
            deliver([&] { return sink.deliver(runs, {}); });
            advance(runs.size());
        }
    }

    void put_scores(LangSmithSink& sink, const std::vector<Record>& records, const OfflineExperiment& experiment,
                    const std::string& session) {
        std::vector<json::object> scores;
        const auto send = [&] {
            if (scores.empty()) return;
            deliver([&] {
                Delivery delivery = sink.deliver_feedback(scores, {});
                if (delivery.status == not_found) delivery.outcome = Outcome::later;
                return delivery;
            });
            advance(scores.size());
            scores.clear();
        };
        for (std::size_t i = 0; i < records.size(); ++i) {
            for (const auto& score : experiment.runs[i].scores) {
                scores.push_back(feedback_of(records[i].runs.front(), score, session));
                if (scores.size() == sink.most_feedback()) send();
            }
        }
        send();
    }

    static void deliver(const std::function<Delivery()>& once) {
        std::chrono::milliseconds pause = first_pause;
        for (int failed = 1;; ++failed, pause *= 2) {
            const Delivery delivery = once();
            if (delivery.outcome == Outcome::delivered) return;
            const int most = delivery.status == not_found ? tries_of_feedback : tries;
            if (delivery.outcome != Outcome::later || failed == most) throw error_of(delivery.status, delivery.reason);
            if (!sleep_unless_interrupted(std::clamp(delivery.wait, pause, longest_pause)))
                throw Error{ErrorCode::cancelled, "The upload to LangSmith was interrupted", std::string{later_remedy}};
        }
    }

    const Comparison& comparison_;
    const LangSmithSetup& setup_;
    const UploadProgress& progress_;
    net::HttpClient client_;
    UploadedComparison uploaded_;
    std::size_t done_ = 0;
    std::size_t total_ = 0;
};

}  // namespace

UploadedComparison upload(const Comparison& comparison, const LangSmithSetup& setup, const UploadProgress& progress) {
    return Upload{comparison, setup, progress}.run();
}

}  // namespace decant::trace
