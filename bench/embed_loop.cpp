// What scripts/bench embed compares `decant embed` with, and how fast an embedded model answers by itself.
//
//   embed_loop bare MODELS NAME fast|f32 TEXTS    the graph by itself: tokens are ready, sorted by length, 32 texts a
//   batch embed_loop query MODELS NAME fast|f32 TEXTS   open_local(), one text a call; a line when the first vector is
//   there
//
// TEXTS has one a line. Prints JSON: seconds for all texts, or the median and the 95th percentile of a call, in ms.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include <openvino/runtime/core.hpp>
#include <openvino/runtime/properties.hpp>

#include "embed/detail/tokenizer.hpp"
#include "embed/known_models.hpp"
#include "embed/local_embedder.hpp"

namespace {

using namespace decant::embed;
using Clock = std::chrono::steady_clock;

constexpr std::size_t texts_in_a_batch = 32;

struct Task {
    std::filesystem::path models;
    std::string name;
    bool is_float32;
    std::vector<std::string> texts;
};

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

ov::InferRequest compiled(ov::Core& core, const Task& task) {
    ov::AnyMap settings{ov::hint::inference_precision(ov::element::f32)};
    if (task.is_float32) settings.insert(ov::hint::dynamic_quantization_group_size(0));
    const auto file = task.models / task.name / "model.xml";
    return core.compile_model(file.string(), "CPU", settings).create_infer_request();
}

void run_bare(const Task& task) {
    const detail::Tokenizer tokenizer{task.models / task.name / "tokenizer.model"};
    const Model& model = *find_known_model("local", task.name);
    std::vector<std::vector<std::int64_t>> tokens;
    for (const std::string& text : task.texts)
        tokens.push_back(tokenizer.encode(model.passage_prefix + text, model.most_tokens).ids);
    std::ranges::sort(tokens, std::greater{}, [](const auto& ids) { return ids.size(); });
    ov::Core core;
    ov::InferRequest request = compiled(core, task);
    const auto run = [&](std::size_t first) {
        const std::size_t count = std::min(texts_in_a_batch, tokens.size() - first);
        const ov::Shape shape{count, tokens[first].size()};
        ov::Tensor ids{ov::element::i64, shape};
        ov::Tensor mask{ov::element::i64, shape};
        std::fill_n(ids.data<std::int64_t>(), ids.get_size(), tokenizer.padding());
        std::fill_n(mask.data<std::int64_t>(), mask.get_size(), 0);
        for (std::size_t row = 0; row < count; ++row) {
            const auto& text = tokens[first + row];
            std::ranges::copy(text, ids.data<std::int64_t>() + row * shape[1]);
            std::fill_n(mask.data<std::int64_t>() + row * shape[1], text.size(), 1);
        }
        request.set_tensor("input_ids", ids);
        request.set_tensor("attention_mask", mask);
        request.infer();
    };
    run(tokens.size() / 2);
    const auto start = Clock::now();
    for (std::size_t first = 0; first < tokens.size(); first += texts_in_a_batch)
        run(first);
    fmt::print("{{\"seconds\": {:.4f}}}\n", seconds_since(start));
}

void run_queries(const Task& task) {
    const auto embedder = open_local({.models = task.models, .name = task.name, .is_float32 = task.is_float32});
    std::vector<double> calls;
    for (const std::string& text : task.texts) {
        const std::string_view one = text;
        const auto start = Clock::now();
        if (embedder->embed({&one, 1}, Role::query).size() != 1) std::abort();
        calls.push_back(seconds_since(start) * 1e3);
        if (calls.size() == 1) {
            fmt::print("first\n");
            std::fflush(stdout);
        }
    }
    calls.erase(calls.begin());
    std::ranges::sort(calls);
    fmt::print("{{\"p50\": {:.3f}, \"p95\": {:.3f}}}\n", calls[calls.size() / 2], calls[calls.size() * 95 / 100]);
}

}  // namespace

int main(int count, char** arguments) {
    const std::vector<std::string> given{arguments + 1, arguments + count};
    if (given.size() != 5) {
        fmt::print(stderr, "usage: embed_loop bare|query MODELS NAME fast|f32 TEXTS\n");
        return 2;
    }
    Task task{.models = given[1], .name = given[2], .is_float32 = given[3] == "f32", .texts = {}};
    std::ifstream file{given[4]};
    for (std::string line; std::getline(file, line);)
        task.texts.push_back(line);
    given[0] == "bare" ? run_bare(task) : run_queries(task);
    return 0;
}
