#include "api/shadow_search.hpp"

#include <memory>
#include <optional>
#include <vector>

#include "api/search_record.hpp"
#include "api/worker.hpp"
#include "core/elapsed.hpp"
#include "core/error.hpp"
#include "core/log.hpp"

namespace decant::api {
namespace {

struct Shadow {
    search::Request request;
    search::Answer answer;
    std::string run_id;
    store::Exposure exposure;

    void run(Worker& worker) {
        Services& services = worker.services();
        if (services.draining.stop_requested()) return;
        const auto start = std::chrono::steady_clock::now();
        SearchRecord record{
            .kind = store::SearchEvent::Kind::shadow, .run_id = run_id, .question = request.text, .exposure = exposure};
        try {
            const std::optional<search::Answer> asked = worker.read("", [&](const Reading& from) {
                std::optional<search::Answer> answered;
                if (!from.engine.can_ask(*request.strategy)) return answered;
                answered = from.engine.search(request);
                from.require_whole(*answered);
                return answered;
            });
            // That this server cannot ask the arm is no figure of it.
            if (!asked) return;
            const search::Answer& found = *asked;
            record.milliseconds = milliseconds_since(start);
            record.exposure.overlap = overlap_of(answer, found);
            record_search(services, record, found);
        } catch (const Error& error) {
            record.milliseconds = milliseconds_since(start);
            record_failure(services, record, error);
            if (error.code() == ErrorCode::store_unavailable) worker.drop();
        } catch (const std::exception& error) {
            log::error("a shadow search: {}", error.what());
            record.milliseconds = milliseconds_since(start);
            record_failure(services, record, {ErrorCode::internal, error.what(), ""});
        }
    }
};

}  // namespace

std::function<void()> shadows_of(Services& services, const Trial& trial, const ShadowedAnswer& answered) {
    if (trial.experiment->mode != store::Experiment::Mode::shadow || trial.exposure.experiment.empty()) return {};
    std::vector<std::shared_ptr<Shadow>> shadows;
    for (std::size_t arm = 1; arm < trial.experiment->arms.size(); ++arm) {
        Shadow& shadow = *shadows.emplace_back(std::make_shared<Shadow>(Shadow{.request = answered.request,
                                                                               .answer = answered.answer,
                                                                               .run_id = std::string{answered.run_id},
                                                                               .exposure = trial.exposure}));
        shadow.request.strategy = trial.strategy_of(arm);
        shadow.exposure.arm = trial.experiment->arms[arm].strategy;
    }
    return [&services, shadows = std::move(shadows)] {
        for (const std::shared_ptr<Shadow>& shadow : shadows)
            services.offer_shadow([shadow](Worker& worker) { shadow->run(worker); });
    };
}

}  // namespace decant::api
