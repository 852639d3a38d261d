#include "api/experiment_desk.hpp"

#include <algorithm>
#include <iterator>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "quality/experiment.hpp"

namespace decant::api {
namespace {

using store::Experiment;

std::string_view unit_of(Experiment::Unit unit, const Asker& asker) {
    const bool is_user = unit == Experiment::Unit::user;
    const std::string_view wanted = is_user ? asker.user : asker.session;
    const std::string_view other = is_user ? asker.session : asker.user;
    if (!wanted.empty()) return wanted;
    return other.empty() ? asker.caller : other;
}

Trial trial_in(std::shared_ptr<const Experiment> experiment, const Asker& asker) {
    Trial trial{.experiment = std::move(experiment)};
    const Experiment& running = *trial.experiment;
    trial.exposure.experiment = running.name;
    trial.exposure.unit = quality::unit_digest(running.name, unit_of(running.unit, asker));
    if (running.mode == Experiment::Mode::split) trial.arm = quality::arm_of(running.arms, trial.exposure.unit);
    trial.exposure.arm = running.mode == Experiment::Mode::interleave ? std::string{store::interleaved_arm}
                                                                      : running.arms[trial.arm].strategy;
    return trial;
}

/// From the first product on, as many as the page's last one needs.
search::Request from_start(search::Request request) {
    request.limit += request.offset;
    request.offset = 0;
    return request;
}

search::Answer interleaved(search::Answer first, const search::Answer& second, const search::Request& request,
                           Trial& trial) {
    const std::uint64_t toss = quality::toss_of(trial.exposure.unit, request.text);
    quality::Interleaved both = quality::interleave(first.hits, second.hits, request.limit + request.offset, toss);
    const auto skipped = static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(request.offset, both.hits.size()));
    both.hits.erase(both.hits.begin(), both.hits.begin() + skipped);
    const std::vector<store::Arm>& arms = trial.experiment->arms;
    trial.exposure.teams = json_text(
        json::object{{"toss", std::to_string(toss)},
                     {"arms", json::object{{arms[0].strategy, json::array(both.first.begin(), both.first.end())},
                                           {arms[1].strategy, json::array(both.second.begin(), both.second.end())}}}});
    first.found = std::min<std::size_t>(static_cast<std::size_t>(skipped) + both.hits.size(), request.limit);
    first.hits = std::move(both.hits);
    first.used = store::interleaved_arm;
    first.degraded = first.degraded || second.degraded;
    std::ranges::copy(second.legs, std::back_inserter(first.legs));
    return first;
}

search::Answer ask_both(search::Engine& engine, const search::Request& request, Trial& trial) {
    search::Request asked = from_start(request);
    asked.strategy = trial.strategy_of(0);
    search::Answer first = engine.search(asked);
    asked.strategy = trial.strategy_of(1);
    asked.facets = false;
    const search::Answer second = engine.search(asked);
    return interleaved(std::move(first), second, request, trial);
}

}  // namespace

search::Strategy Trial::strategy_of(std::size_t number) const {
    return search::strategy_names.find(experiment->arms.at(number).strategy)
        .value_or(search::Strategy::pgvector_primary);
}

void ExperimentDesk::take(std::optional<Experiment> running) {
    const std::shared_ptr<const Experiment> next =
        running ? std::make_shared<const Experiment>(std::move(*running)) : nullptr;
    const std::lock_guard lock{mutex_};
    if (next && (!running_ || running_->name != next->name)) log::info("experiment {} runs", next->name);
    if (running_ && !next) log::info("experiment {} has ended", running_->name);
    running_ = next;
}

std::shared_ptr<const Experiment> ExperimentDesk::running() const {
    const std::lock_guard lock{mutex_};
    return running_;
}

std::optional<Trial> ExperimentDesk::trial_of_search(const Asker& asker) const {
    std::shared_ptr<const Experiment> experiment = running();
    return experiment ? std::optional{trial_in(std::move(experiment), asker)} : std::nullopt;
}

std::optional<Trial> ExperimentDesk::trial_of_chat(const Asker& asker) const {
    std::shared_ptr<const Experiment> experiment = running();
    if (!experiment || experiment->mode != Experiment::Mode::split) return std::nullopt;
    return trial_in(std::move(experiment), asker);
}

search::Answer search_in_trial(search::Engine& engine, const search::Request& request, Trial& trial) {
    const bool is_interleaved = trial.experiment->mode == Experiment::Mode::interleave;
    if (!engine.can_ask(trial.strategy()) || (is_interleaved && !engine.can_ask(trial.strategy_of(1)))) {
        log::warning("experiment {} is left out: a strategy of its arms is off here", trial.experiment->name);
        trial.exposure = {};
        return engine.search(request);
    }
    try {
        if (is_interleaved) return ask_both(engine, request, trial);
        search::Request asked = request;
        asked.strategy = trial.strategy();
        return engine.search(asked);
    } catch (const Error& error) {
        // That an arm fails is a figure of it.
        if (!is_interleaved || traits_of(error.code()).http_status < 500) throw;
        log::warning("experiment {} is left out: {}", trial.experiment->name, error.happened());
        trial.exposure = {};
        return engine.search(request);
    }
}

double overlap_of(const search::Answer& answer, const search::Answer& shadow) {
    if (answer.hits.empty()) return shadow.hits.empty() ? 1 : 0;
    const auto shared = std::ranges::count_if(answer.hits, [&](const search::Hit& hit) {
        return std::ranges::find(shadow.hits, hit.id, &search::Hit::id) != shadow.hits.end();
    });
    return static_cast<double>(shared) / static_cast<double>(answer.hits.size());
}

}  // namespace decant::api
