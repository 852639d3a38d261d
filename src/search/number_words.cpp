#include "search/number_words.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace decant::search {
namespace {

constexpr auto number_words = std::to_array<std::pair<std::string_view, double>>({
    {"dos", 2},           {"tres", 3},
    {"cuatro", 4},        {"cinco", 5},
    {"seis", 6},          {"siete", 7},
    {"ocho", 8},          {"nueve", 9},
    {"diez", 10},         {"doce", 12},
    {"trece", 13},        {"catorce", 14},
    {"quince", 15},       {"veinte", 20},
    {"treinta", 30},      {"cuarenta", 40},
    {"cincuenta", 50},    {"sesenta", 60},
    {"setenta", 70},      {"ochenta", 80},
    {"noventa", 90},      {"cien", 100},
    {"ciento", 100},      {"doscientos", 200},
    {"trescientos", 300}, {"cuatrocientos", 400},
    {"quinientos", 500},  {"seiscientos", 600},
    {"setecientos", 700}, {"ochocientos", 800},
    {"novecientos", 900}, {"one", 1},
    {"two", 2},           {"three", 3},
    {"four", 4},          {"five", 5},
    {"six", 6},           {"seven", 7},
    {"eight", 8},         {"nine", 9},
    {"ten", 10},          {"eleven", 11},
    {"twelve", 12},       {"fifteen", 15},
    {"twenty", 20},       {"thirty", 30},
    {"forty", 40},        {"fifty", 50},
    {"sixty", 60},        {"seventy", 70},
    {"eighty", 80},       {"ninety", 90},
});

}  // namespace

std::optional<double> number_word(std::string_view folded) noexcept {
    const auto* found = std::ranges::find(number_words, folded, &std::pair<std::string_view, double>::first);
    return found == number_words.end() ? std::nullopt : std::optional{found->second};
}

}  // namespace decant::search
