#include "embed/local_embedder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <fstream>
#include <future>
#include <thread>

#include "core/error.hpp"
#include "embed/detail/batches.hpp"
#include "embed/detail/network.hpp"
#include "embed/detail/tokenizer.hpp"
#include "embed/known_models.hpp"
#include "embed/model_folder.hpp"

namespace decant::embed {
namespace {

namespace fs = std::filesystem;
using Centres = std::array<std::vector<float>, 2>;  ///< by Role; empty where the model is not centred

Centres read_centres(const fs::path& file, std::size_t dimension) {
    if (!fs::exists(file)) return {};
    Centres centres;
    std::ifstream in{file, std::ios::binary};
    for (std::vector<float>& centre : centres) {
        std::vector<char> bytes(dimension * sizeof(float));
        if (!in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()))) {
            throw Error{ErrorCode::config_invalid, fmt::format("{} is cut short", file.string()),
                        "remove .deps/models and run scripts/setup"};
        }
        centre.resize(dimension);
        std::memcpy(centre.data(), bytes.data(), bytes.size());
    }
    return centres;
}

std::vector<float> centred(std::span<const float> vector, const std::vector<float>& centre) {
    std::vector<float> out{vector.begin(), vector.end()};
    if (centre.empty()) return out;
    double squares = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] -= centre[i];
        squares += static_cast<double>(out[i]) * static_cast<double>(out[i]);
    }
    const double scale = 1 / std::sqrt(squares);
    for (float& value : out)
        value = static_cast<float>(static_cast<double>(value) * scale);
    return out;
}

detail::TokenBatch padded(const std::vector<detail::Tokens>& tokens, const std::vector<std::size_t>& places,
                          std::int64_t padding) {
    detail::TokenBatch batch{.texts = places.size(), .width = tokens[places.front()].ids.size(), .ids = {}, .mask = {}};
    batch.ids.resize(batch.texts * batch.width, padding);
    batch.mask.resize(batch.ids.size(), 0);
    for (std::size_t row = 0; row < places.size(); ++row) {
        const std::vector<std::int64_t>& ids = tokens[places[row]].ids;
        const auto start = static_cast<std::ptrdiff_t>(row * batch.width);
        std::ranges::copy(ids, batch.ids.begin() + start);
        std::fill_n(batch.mask.begin() + start, ids.size(), 1);
    }
    return batch;
}

class LocalEmbedder final : public Embedder {
public:
    LocalEmbedder(Model model, fs::path folder, const LocalOptions& options)
        : model_(std::move(model)),
          folder_(std::move(folder)),
          options_{
              .threads = options.threads != 0 ? options.threads : std::max(1U, std::thread::hardware_concurrency()),
              .is_float32 = options.is_float32} {}

    const Model& model() const noexcept override { return model_; }

    std::vector<TextVector> embed(std::span<const std::string_view> texts, Role role) override {
        if (!network_) load();
        const std::string prefix{model_.prefix(role)};
        const std::vector<float>& centre = centres_[static_cast<std::size_t>(role)];
        std::vector<detail::Tokens> tokens;
        std::vector<std::size_t> lengths;
        for (const std::string_view text : texts) {
            tokens.push_back(tokenizer_->encode(prefix + std::string{text}, model_.most_tokens));
            lengths.push_back(tokens.back().ids.size());
        }
        std::vector<TextVector> vectors(texts.size());
        for (const std::vector<std::size_t>& places : detail::batches_by_length(lengths)) {
            detail::TokenBatch batch = padded(tokens, places, tokenizer_->padding());
            const std::span<const float> values = network_->run(batch);
            const std::size_t width = values.size() / places.size();
            for (std::size_t row = 0; row < places.size(); ++row) {
                vectors[places[row]] = {.values = centred(values.subspan(row * width, width), centre),
                                        .cut_tokens = tokens[places[row]].cut,
                                        .tokens = lengths[places[row]]};
            }
        }
        return vectors;
    }

private:
    /// The tokenizer's table takes a quarter of the time, on another processor.
    void load() {
        auto tokenizer = std::async(
            std::launch::async, [this] { return std::make_unique<detail::Tokenizer>(folder_ / "tokenizer.model"); });
        centres_ = read_centres(folder_ / "means", model_.dimension);
        auto network = std::make_unique<detail::Network>(folder_ / "model.xml", options_);
        tokenizer_ = tokenizer.get();
        network_ = std::move(network);
    }

    Model model_;
    fs::path folder_;
    detail::NetworkOptions options_;
    Centres centres_;
    std::unique_ptr<detail::Tokenizer> tokenizer_;
    std::unique_ptr<detail::Network> network_;
};

}  // namespace

std::unique_ptr<Embedder> open_local(const LocalOptions& options) {
    const Model* known = find_known_model("local", options.name);
    if (known == nullptr) {
        throw Error{ErrorCode::config_invalid, fmt::format("There is no embedded model '{}'", options.name),
                    "decant model list shows the models"};
    }
    const std::optional<Model> installed = find_installed(options.models, *known);
    if (!installed) {
        throw Error{ErrorCode::config_invalid,
                    fmt::format("The model '{}' is not installed in {}", known->name, options.models.string()),
                    "run scripts/setup"};
    }
    return std::make_unique<LocalEmbedder>(*installed, options.models / known->name, options);
}

}  // namespace decant::embed
