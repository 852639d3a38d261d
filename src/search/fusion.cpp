#include "search/fusion.hpp"

#include <algorithm>
#include <unordered_map>

namespace decant::search {
namespace {

// Measured on the judged questions (docs/search.md).
constexpr double usual_words_weight = 0.6;
constexpr double code_words_weight = 0.8;

void sort_by_score(std::vector<Hit>& hits) {
    std::ranges::stable_sort(
        hits, [](const Hit& a, const Hit& b) { return a.score != b.score ? a.score > b.score : a.id < b.id; });
}

/// From 0 at `floor` to 1 at the best of the list.
double share(double score, double floor, double best) {
    return best > floor ? std::clamp((score - floor) / (best - floor), 0.0, 1.0) : 1.0;
}

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}
bool is_letter(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// A word of letters and digits that is no measure ("27", "144hz", "16gb"), or many digits.
bool is_code(std::string_view word) noexcept {
    const auto digits = std::ranges::count_if(word, is_digit);
    const auto letters = std::ranges::count_if(word, is_letter);
    if (digits >= 8) return true;
    const bool starts_with_letter = !word.empty() && is_letter(word.front());
    return digits >= 2 && letters >= 2 && (starts_with_letter || word.size() >= 7);
}

}  // namespace

std::vector<Hit> merge_by_similarity(std::vector<Hit> a, std::vector<Hit> b) {
    std::unordered_map<std::string, std::size_t> places;
    for (std::size_t i = 0; i < a.size(); ++i)
        places.emplace(a[i].id, i);
    for (Hit& hit : b) {
        const auto found = places.find(hit.id);
        if (found == places.end())
            a.push_back(std::move(hit));
        else if (hit.similarity > a[found->second].similarity)
            a[found->second].similarity = hit.similarity;
    }
    for (Hit& hit : a)
        hit.score = hit.similarity.value_or(0);
    sort_by_score(a);
    return a;
}

std::vector<Hit> fuse(std::span<const Hit> semantic, std::span<const Hit> words, double threshold,
                      double words_weight) {
    std::unordered_map<std::string, const Hit*> by_words;
    for (const Hit& hit : words)
        by_words.emplace(hit.id, &hit);
    const double best_similarity = semantic.empty() ? 0 : semantic.front().score;
    const double best_words = words.empty() ? 0 : words.front().score;
    const double floor = threshold / 2;
    std::vector<Hit> fused;
    for (const Hit& hit : semantic) {
        const auto found = by_words.find(hit.id);
        if (found == by_words.end() && hit.score < threshold) continue;
        Hit& one = fused.emplace_back(hit);
        one.score = (1 - words_weight) * share(hit.score, floor, best_similarity);
        if (found == by_words.end()) continue;
        one.score += words_weight * share(found->second->score, 0, best_words);
        by_words.erase(found);
    }
    for (const Hit& hit : words) {
        if (!by_words.contains(hit.id)) continue;
        fused.emplace_back(hit).score = words_weight * share(hit.score, 0, best_words);
    }
    sort_by_score(fused);
    return fused;
}

double words_weight_of(std::string_view text) noexcept {
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(' '), text.size());
        if (is_code(text.substr(0, end))) return code_words_weight;
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return usual_words_weight;
}

}  // namespace decant::search
