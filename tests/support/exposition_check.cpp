#include "tests/support/exposition_check.hpp"

#include <cmath>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <sstream>

namespace decant::test {
namespace {

struct Sample {
    std::string name;
    std::map<std::string, std::string> labels;
    double value = 0;

    std::string series() const {
        std::string text = name;
        for (const auto& [label, labelled] : labels)
            text += "," + label + "=" + labelled;
        return text;
    }
};

std::optional<double> number_of(const std::string& text) {
    if (text == "+Inf") return INFINITY;
    if (text == "-Inf") return -INFINITY;
    if (text == "NaN" || text == "Nan") return NAN;
    try {
        std::size_t end = 0;
        const double value = std::stod(text, &end);
        return end == text.size() ? std::optional{value} : std::nullopt;
    } catch (const std::exception&) {
        return std::nullopt;
    }
}

std::optional<Sample> sample_of(const std::string& line) {
    static const std::regex shape{R"re(([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+))re"};
    static const std::regex label{R"re(([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\[\\n"])*)"(,|$))re"};
    std::smatch match;
    if (!std::regex_match(line, match, shape)) return std::nullopt;
    const auto value = number_of(match[3]);
    if (!value) return std::nullopt;
    Sample sample{.name = match[1], .labels = {}, .value = *value};
    std::string rest = match[2];
    for (std::smatch one; !rest.empty(); rest = one.suffix()) {
        if (!std::regex_search(rest, one, label, std::regex_constants::match_continuous)) return std::nullopt;
        if (!sample.labels.emplace(one[1], one[2]).second) return std::nullopt;
    }
    return sample;
}

/// The checks that need all samples of one family.
class Family {
public:
    std::string name;
    std::string type;
    std::vector<Sample> samples;

    bool owns(const std::string& sample) const {
        if (type != "histogram") return sample == name;
        return sample == name + "_bucket" || sample == name + "_sum" || sample == name + "_count";
    }

    void check(std::vector<std::string>& faults) const {
        if (samples.empty()) faults.push_back(name + " has no samples");
        if (type == "counter" && !name.ends_with("_total")) faults.push_back(name + " is a counter without _total");
        if (type == "gauge" && name.ends_with("_total")) faults.push_back(name + " is a gauge called _total");
        for (const Sample& sample : samples) {
            if (type == "counter" && !(sample.value >= 0)) faults.push_back(sample.series() + " is negative");
        }
        if (type == "histogram") check_buckets(faults);
    }

private:
    void check_buckets(std::vector<std::string>& faults) const {
        std::map<std::map<std::string, std::string>, std::vector<std::pair<double, double>>> buckets;
        std::map<std::map<std::string, std::string>, double> counts;
        for (Sample sample : samples) {
            if (sample.name == name + "_count") counts[sample.labels] = sample.value;
            if (sample.name != name + "_bucket") continue;
            const auto bound = number_of(sample.labels["le"]);
            sample.labels.erase("le");
            buckets[sample.labels].emplace_back(bound.value_or(NAN), sample.value);
        }
        if (buckets.size() != counts.size()) faults.push_back(name + " has not one _count for each set of buckets");
        for (const auto& [labels, rising] : buckets) {
            for (std::size_t i = 1; i < rising.size(); ++i) {
                if (!(rising[i].first > rising[i - 1].first && rising[i].second >= rising[i - 1].second))
                    faults.push_back(name + " has buckets that do not rise");
            }
            if (rising.back().first != INFINITY || rising.back().second != counts[labels])
                faults.push_back(name + " does not end with +Inf and _count");
        }
    }
};

}  // namespace

std::vector<std::string> exposition_faults(const std::string& text) {
    std::vector<std::string> faults;
    std::vector<Family> families;
    std::set<std::string> names;
    std::set<std::string> series;
    static const std::regex comment{R"re(# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+))re"};
    if (!text.ends_with('\n')) faults.emplace_back("the last line has no end");
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);) {
        if (line.empty()) continue;
        if (std::smatch match; line.starts_with('#')) {
            if (!std::regex_match(line, match, comment)) {
                faults.push_back("no HELP or TYPE: " + line);
            } else if (match[1] == "HELP") {
                if (!names.insert(match[2]).second) faults.push_back(match[2].str() + " comes twice");
                families.push_back({});
                families.back().name = match[2];
            } else if (families.empty() || families.back().name != match[2] || !families.back().samples.empty()) {
                faults.push_back("TYPE out of its place: " + line);
            } else {
                families.back().type = match[3];
            }
            continue;
        }
        const auto sample = sample_of(line);
        if (!sample) {
            faults.push_back("no sample: " + line);
        } else if (families.empty() || families.back().type.empty() || !families.back().owns(sample->name)) {
            faults.push_back("out of its family: " + line);
        } else {
            if (!series.insert(sample->series()).second) faults.push_back("comes twice: " + line);
            families.back().samples.push_back(*sample);
        }
    }
    for (const Family& family : families)
        family.check(faults);
    return faults;
}

}  // namespace decant::test
