#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include "search/engine.hpp"
#include "store/experiment_store.hpp"
#include "store/search_events.hpp"

namespace decant::api {

/// What one request is in the running experiment.
struct Trial {
    std::shared_ptr<const store::Experiment> experiment;
    std::size_t arm = 0;  ///< whose answer it gets; of an interleaved one both
    store::Exposure exposure = {};

    search::Strategy strategy() const { return strategy_of(arm); }
    search::Strategy strategy_of(std::size_t number) const;
};

/// Whoever asks, as far as the request says; empty where it does not.
struct Asker {
    std::string_view user;
    std::string_view session;
    std::string_view caller;  ///< the credential or the address; never empty
};

/// Knows the experiment that runs and gives requests their arms. Any thread.
class ExperimentDesk {
public:
    /// From now on; none: nothing runs.
    void take(std::optional<store::Experiment> running);

    /// None where nothing runs. Who says neither user nor session counts as his credential or address.
    std::optional<Trial> trial_of_search(const Asker& asker) const;
    /// The same of a message to the chat, which is part of experiments of the mode split alone: its answers go on from
    /// what was found before.
    std::optional<Trial> trial_of_chat(const Asker& asker) const;

private:
    std::shared_ptr<const store::Experiment> running() const;

    mutable std::mutex mutex_;
    std::shared_ptr<const store::Experiment> running_;
};

/// The answer of the trial's arm, or of both in one. Where one of the two fails, or an arm is not configured here, the
/// search is answered without the experiment, and its exposure is none. Throws as Engine::search.
search::Answer search_in_trial(search::Engine& engine, const search::Request& request, Trial& trial);

/// Of `answer`'s products the share that `shadow` has too; of two empty ones 1.
double overlap_of(const search::Answer& answer, const search::Answer& shadow);

}  // namespace decant::api
