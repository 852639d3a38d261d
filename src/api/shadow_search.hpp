#pragma once

#include <functional>
#include <string_view>

#include "api/experiment_desk.hpp"
#include "api/services.hpp"

namespace decant::api {

/// What a caller of a shadow experiment was answered.
struct ShadowedAnswer {
    const search::Request& request;
    const search::Answer& answer;
    std::string_view run_id;
};

/// Has the arms that did not answer search for the same, one after the other in a thread of their own, and records what
/// they found: to be called once the answer is on its way, which they must not slow. What finds no room in the queue is
/// left out. Empty for an experiment of another mode.
std::function<void()> shadows_of(Services& services, const Trial& trial, const ShadowedAnswer& answered);

}  // namespace decant::api
