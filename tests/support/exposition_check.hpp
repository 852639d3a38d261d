#pragma once

#include <string>
#include <vector>

namespace decant::test {

/// What is wrong with a text in Prometheus's exposition format 0.0.4, a sentence each: syntax of lines, names, labels
/// and values; HELP and TYPE before the samples of their family, each family in one piece; series that come twice;
/// counters without _total; histograms whose buckets do not rise to +Inf and _count.
std::vector<std::string> exposition_faults(const std::string& text);

}  // namespace decant::test
