#include "quality/experiment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <numeric>
#include <random>
#include <unordered_set>

#include "core/error.hpp"
#include "core/sha256.hpp"
#include "core/split_list.hpp"
#include "core/utf8.hpp"
#include "search/strategy.hpp"

namespace decant::quality {
namespace {

constexpr int most_weight = 1'000;

Error bad_arms(const std::string& happened) {
    return {ErrorCode::request_malformed, happened,
            "Write two or more strategies with their shares, as in: --arms pgvector_primary:50,fusion:50."};
}

store::Arm parse_arm(std::string_view text) {
    const std::size_t colon = std::min(text.find(':'), text.size());
    store::Arm arm{.strategy = std::string{text.substr(0, colon)}};
    if (!search::strategy_names.find(arm.strategy)) {
        throw Error{ErrorCode::request_malformed,
                    fmt::format("There is no search strategy '{}'", printable(arm.strategy)),
                    fmt::format("Name one of {}.", fmt::join(search::strategy_names.names, ", "))};
    }
    if (colon == text.size()) return arm;
    const std::string_view weight = text.substr(colon + 1);
    const auto [end, failed] = std::from_chars(weight.data(), weight.data() + weight.size(), arm.weight);
    const bool is_number = failed == std::errc{} && end == weight.data() + weight.size();
    if (is_number && arm.weight >= 1 && arm.weight <= most_weight) return arm;
    throw bad_arms(fmt::format("'{}' is no share from 1 to {}", printable(weight), most_weight));
}

std::uint64_t first_bytes(const Digest& digest) {
    std::uint64_t number = 0;
    std::memcpy(&number, digest.data(), sizeof number);
    return number;
}

}  // namespace

std::vector<store::Arm> parse_arms(std::string_view text) {
    std::vector<store::Arm> arms;
    for (const std::string_view part : split_list(text)) {
        store::Arm arm = parse_arm(part);
        const bool is_twice =
            std::ranges::any_of(arms, [&](const store::Arm& other) { return other.strategy == arm.strategy; });
        if (is_twice) throw bad_arms(fmt::format("{} stands twice", arm.strategy));
        arms.push_back(std::move(arm));
    }
    if (arms.size() < 2) throw bad_arms("An experiment compares two arms at least");
    return arms;
}

std::string unit_digest(std::string_view experiment, std::string_view unit) {
    return hex(sha256(fmt::format("{}\n{}", experiment, unit))).substr(0, 32);
}

std::size_t arm_of(const std::vector<store::Arm>& arms, std::string_view digest) {
    const int all =
        std::accumulate(arms.begin(), arms.end(), 0, [](int sum, const store::Arm& arm) { return sum + arm.weight; });
    // Of the digest's digest: whoever saw only its first digits could not tell the arm.
    auto place = static_cast<int>(first_bytes(sha256(digest)) % static_cast<std::uint64_t>(all));
    std::size_t arm = 0;
    while (place >= arms[arm].weight)
        place -= arms[arm++].weight;
    return arm;
}

Interleaved interleave(const std::vector<search::Hit>& first, const std::vector<search::Hit>& second, std::size_t limit,
                       std::uint64_t toss) {
    Interleaved out;
    std::mt19937_64 coins{toss};
    std::unordered_set<std::string_view> taken;
    std::size_t next_first = 0;
    std::size_t next_second = 0;
    const auto skip_taken = [&](const std::vector<search::Hit>& hits, std::size_t& next) {
        while (next < hits.size() && taken.contains(hits[next].id))
            ++next;
        return next < hits.size();
    };
    while (out.hits.size() < limit) {
        const bool has_first = skip_taken(first, next_first);
        const bool has_second = skip_taken(second, next_second);
        if (!has_first && !has_second) break;
        const bool is_even = out.first.size() == out.second.size();
        const bool is_firsts_turn = is_even ? (coins() & 1U) != 0 : out.first.size() < out.second.size();
        const bool takes_first = has_first && (is_firsts_turn || !has_second);
        const search::Hit& hit = takes_first ? first[next_first] : second[next_second];
        taken.insert(hit.id);
        (takes_first ? out.first : out.second).push_back(hit.id);
        out.hits.push_back(hit);
    }
    return out;
}

std::uint64_t toss_of(std::string_view digest, std::string_view question) {
    return first_bytes(sha256(fmt::format("{}\n{}", digest, question)));
}

}  // namespace decant::quality
