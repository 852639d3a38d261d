#include "core/failpoint.hpp"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/failpoint_names.hpp"
#include "core/nearest.hpp"

namespace decant {
namespace {

enum class Action { kill, interrupt, error };

struct Armed {
    std::string name;
    std::uint64_t passes_left;
    Action action;
};

std::mutex armed_mutex;
std::vector<Armed> armed_points;

[[noreturn]] void refuse(std::string happened, std::string remedy) {
    throw Error{ErrorCode::config_invalid, std::move(happened), std::move(remedy)};
}

void require_known(std::string_view name) {
    if (std::ranges::find(failpoint_names, name) != failpoint_names.end()) return;
    const std::vector<std::string> names(failpoint_names.begin(), failpoint_names.end());
    const std::optional<std::string> meant = nearest(name, names);
    refuse(fmt::format("DECANT_FAILPOINT: there is no failpoint '{}'", name),
           meant ? fmt::format("did you mean {}?", *meant) : "`decant --version --json` lists the failpoints");
}

/// Takes the action's suffix off `text`.
Action take_action(std::string_view& text) {
    constexpr std::string_view interrupt_suffix = ":interrupt";
    constexpr std::string_view error_suffix = ":error";
    if (text.ends_with(interrupt_suffix)) {
        text.remove_suffix(interrupt_suffix.size());
        return Action::interrupt;
    }
    if (text.ends_with(error_suffix)) {
        text.remove_suffix(error_suffix.size());
        return Action::error;
    }
    return Action::kill;
}

Armed parse_point(std::string_view text) {
    const std::string_view whole = text;
    const Action action = take_action(text);
    const std::size_t colon = text.rfind(':');
    std::uint64_t count = 0;
    if (colon != std::string_view::npos) {
        const auto [end, error] = std::from_chars(text.data() + colon + 1, text.data() + text.size(), count);
        if (error != std::errc{} || end != text.data() + text.size()) count = 0;
    }
    if (count == 0) {
        refuse(fmt::format("DECANT_FAILPOINT: '{}' is not NAME:N, NAME:N:interrupt or NAME:N:error", whole),
               "give N from 1 on");
    }
    const std::string_view name = text.substr(0, colon);
    require_known(name);
    return {std::string{name}, count, action};
}

}  // namespace

void arm_failpoints(std::string_view list) {
    std::vector<Armed> points;
    while (!list.empty()) {
        const std::size_t comma = std::min(list.find(','), list.size());
        points.push_back(parse_point(list.substr(0, comma)));
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    const std::lock_guard lock{armed_mutex};
    armed_points = std::move(points);
    detail::has_armed_failpoints = !armed_points.empty();
}

void detail::pass_failpoint(std::string_view name) {
    const std::lock_guard lock{armed_mutex};
    for (Armed& point : armed_points) {
        if (point.name != name || point.passes_left == 0 || --point.passes_left > 0) continue;
        if (point.action == Action::error) {
            throw Error{ErrorCode::internal, fmt::format("Failpoint {} was armed to fail here", name),
                        "unset DECANT_FAILPOINT"};
        }
        // raise: the signal is taken before the next statement, whichever threads there are.
        raise(point.action == Action::interrupt ? SIGINT : SIGKILL);
    }
}

}  // namespace decant
