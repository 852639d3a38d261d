// How fast the leg of search that reads a Chroma directory answers: reading the vectors once, then one exact scan a
// question. Prints JSON: seconds and bytes of the first; median and 95th percentile, in ms, of a scan by itself and of
// a scan with the nearest 100 put in order; GB/s of the scan.
//
//   chroma_scan DIRECTORY COLLECTION [QUESTIONS]
//
// bench/synthetic_chroma.py makes directories of any size.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "catalog/dot_products.hpp"
#include "chroma/directory_vectors.hpp"

namespace {

using namespace decant::chroma;
using Clock = std::chrono::steady_clock;

constexpr std::size_t ranked = 100;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

struct Times {
    std::vector<double> all;

    double at(std::size_t percent) {
        std::ranges::sort(all);
        return all[all.size() * percent / 100] * 1e3;
    }
};

}  // namespace

int main(int count, char** arguments) {
    if (count < 3) {
        fmt::print(stderr, "usage: chroma_scan DIRECTORY COLLECTION [QUESTIONS]\n");
        return 2;
    }
    const int questions = count > 3 ? std::atoi(arguments[3]) : 200;
    DirectoryVectors vectors{arguments[1], {.name = arguments[2]}};
    const auto start = Clock::now();
    const auto table = vectors.current();
    const double load_seconds = seconds_since(start);

    std::mt19937 random{7};
    std::normal_distribution<float> value;
    std::vector<float> question(table->collection().dimension.value_or(0));
    std::vector<float> padded(table->row_length());
    std::vector<float> products(table->size());
    Times scans;
    Times answers;
    Times checks;
    for (int i = 0; i < questions; ++i) {
        for (float& element : question)
            element = value(random);
        std::ranges::copy(question, padded.begin());
        auto before = Clock::now();
        decant::catalog::dot_products(table->rows(), padded, products);
        scans.all.push_back(seconds_since(before));
        before = Clock::now();
        Ranking ranking{*table, question, -1};
        if (ranking.next(ranked).empty()) return 1;
        answers.all.push_back(seconds_since(before));
        before = Clock::now();
        if (vectors.current() != table) return 1;
        checks.all.push_back(seconds_since(before));
    }
    const double bytes = static_cast<double>(table->size() * table->row_length() * sizeof(float));
    fmt::print(
        "{{\"rows\": {}, \"load_seconds\": {:.3f}, \"bytes\": {}, \"scan_p50\": {:.3f}, \"scan_p95\": {:.3f}, "
        "\"gb_per_second\": {:.1f}, \"answer_p50\": {:.3f}, \"answer_p95\": {:.3f}, \"check_p50\": {:.4f}}}\n",
        table->size(), load_seconds, table->bytes(), scans.at(50), scans.at(95), bytes / scans.at(50) / 1e6,
        answers.at(50), answers.at(95), checks.at(50));
    return 0;
}
