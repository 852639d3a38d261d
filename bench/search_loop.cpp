// What scripts/bench search compares with pgbench and with Chroma: search/ in process, a connection a caller.
//
//   search_loop VECTORS DIMENSION CALLERS SECONDS [category=NAME] [brand=NAME] [max-price=N] [recall=N] [by=text]
//
// VECTORS holds float32, the questions one after the other; they are asked in turn until SECONDS have passed, each once
// at least. The database is the one that libpq's variables name. Prints JSON: milliseconds of a call (p50, p95), calls
// a second, and for each question the skus found, how, and with which ef_search. With by=text the whole engine is
// asked, as a command or the server asks it, for the text "question N", whose vector is at hand.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <latch>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "search/engine.hpp"

namespace {

using namespace decant;
using Clock = std::chrono::steady_clock;

constexpr std::size_t warm_up = 20;

struct Task {
    std::vector<float> vectors;
    std::size_t dimension = 0;
    std::size_t callers = 1;
    double seconds = 0;
    search::VectorQuery query = {};
    bool is_by_text = false;

    std::size_t questions() const { return vectors.size() / dimension; }
    search::VectorQuery question(std::size_t number) const {
        search::VectorQuery one = query;
        one.vector = std::span{vectors}.subspan(number % questions() * dimension, dimension);
        return one;
    }
};

double milliseconds_since(Clock::time_point start) {
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

Task read_task(const std::vector<std::string>& given) {
    Task task{.dimension = std::stoul(given[1]), .callers = std::stoul(given[2]), .seconds = std::stod(given[3])};
    std::ifstream file{given[0], std::ios::binary | std::ios::ate};
    task.vectors.resize(static_cast<std::size_t>(file.tellg()) / sizeof(float));
    file.seekg(0);
    file.read(reinterpret_cast<char*>(task.vectors.data()),
              static_cast<std::streamsize>(task.vectors.size() * sizeof(float)));
    for (std::size_t i = 4; i < given.size(); ++i) {
        const std::size_t sign = given[i].find('=');
        const std::string name = given[i].substr(0, sign);
        const std::string value = given[i].substr(sign + 1);
        if (name == "category") task.query.filter.category = value;
        if (name == "brand") task.query.filter.brand = value;
        if (name == "max-price") task.query.filter.max_price = std::stod(value);
        if (name == "by") task.is_by_text = value == "text";
        if (name == "recall") task.query.recall = std::stod(value);
    }
    return task;
}

/// What one caller saw.
struct Seen {
    std::vector<double> calls;
    std::map<std::size_t, search::VectorAnswer> answers;  ///< the first to each question
};

/// Has the vectors of its questions ready.
class ReadyEmbedder final : public embed::Embedder {
public:
    explicit ReadyEmbedder(const Task& task) : task_(task) { model_.dimension = task.dimension; }
    const embed::Model& model() const noexcept override { return model_; }
    std::vector<embed::TextVector> embed(std::span<const std::string_view> texts, embed::Role /*role*/) override {
        std::vector<embed::TextVector> vectors;
        for (const std::string_view text : texts) {
            const std::span<const float> one =
                task_.question(std::stoul(std::string{text.substr(text.rfind(' '))})).vector;
            vectors.push_back({.values = {one.begin(), one.end()}});
        }
        return vectors;
    }

private:
    const Task& task_;
    embed::Model model_{.provider = "bench", .name = "ready"};
};

/// A connection and how it is asked.
class Searcher {
public:
    explicit Searcher(const Task& task) : task_(task), embedder_(task) {}

    search::VectorAnswer find(std::size_t number) {
        if (!task_.is_by_text) return by_vector_.find(task_.question(number));
        const search::Request request{.text = fmt::format("question {}", number % task_.questions()), .threshold = 0};
        return {.hits = by_text_.search(request).hits};
    }

private:
    const Task& task_;
    ReadyEmbedder embedder_;
    pg::Connection db_ = pg::Connection::open("");
    search::VectorSearcher by_vector_{db_};
    search::Engine by_text_{db_, {}, {.embedder = [this]() -> embed::Embedder& { return embedder_; }}};
};

Seen ask(const Task& task, std::size_t caller, std::latch& ready) {
    Seen seen;
    Searcher searcher{task};
    for (std::size_t number = 0; number < warm_up; ++number)
        searcher.find(number);
    ready.arrive_and_wait();
    const auto begin = Clock::now();
    for (std::size_t number = caller; number < task.questions() || milliseconds_since(begin) < task.seconds * 1e3;
         number += task.callers) {
        const auto start = Clock::now();
        search::VectorAnswer answer = searcher.find(number);
        seen.calls.push_back(milliseconds_since(start));
        if (number < task.questions()) seen.answers.emplace(number, std::move(answer));
    }
    return seen;
}

void print(const std::vector<Seen>& callers, double milliseconds) {
    std::vector<double> calls;
    std::map<std::size_t, std::string> answers;
    for (const Seen& seen : callers) {
        calls.insert(calls.end(), seen.calls.begin(), seen.calls.end());
        for (const auto& [number, answer] : seen.answers) {
            std::vector<std::string> skus;
            for (const search::Hit& hit : answer.hits)
                skus.push_back(hit.sku);
            answers[number] = fmt::format(R"({{"skus": [{}], "scan": "{}", "ef_search": {}}})", fmt::join(skus, ","),
                                          search::scan_names[answer.scan], answer.ef_search);
        }
    }
    std::ranges::sort(calls);
    std::vector<std::string> in_order;
    for (auto& [number, answer] : answers)
        in_order.push_back(std::move(answer));
    fmt::print(R"({{"p50": {:.4f}, "p95": {:.4f}, "rate": {:.2f}, "answers": [{}]}})"
               "\n",
               calls[calls.size() / 2], calls[calls.size() * 95 / 100],
               static_cast<double>(calls.size()) / milliseconds * 1e3, fmt::join(in_order, ","));
}

void run(const Task& task) {
    std::vector<Seen> seen(task.callers);
    std::latch ready{static_cast<std::ptrdiff_t>(task.callers + 1)};
    std::vector<std::jthread> callers;
    for (std::size_t caller = 0; caller < task.callers; ++caller)
        callers.emplace_back([&, caller] { seen[caller] = ask(task, caller, ready); });
    ready.arrive_and_wait();
    const auto start = Clock::now();
    callers.clear();
    print(seen, milliseconds_since(start));
}

}  // namespace

int main(int count, char** arguments) {
    const std::vector<std::string> given{arguments + 1, arguments + count};
    if (given.size() < 4) {
        fmt::print(stderr, "usage: search_loop VECTORS DIMENSION CALLERS SECONDS [NAME=VALUE...]\n");
        return 2;
    }
    run(read_task(given));
    return 0;
}
