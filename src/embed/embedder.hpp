#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/embedding_text.hpp"

/// embed/: texts become vectors. Every provider of models is an Embedder; CheckedEmbedder is how the rest of the
/// program calls one. Knows nothing of PostgreSQL and Chroma.
namespace decant::embed {

/// A model may treat what is stored and what is asked differently.
enum class Role { passage, query };

/// Thresholds that make sense for a model: under `low` nearly all passes, over `high` nearly nothing.
struct ThresholdRange {
    double low;
    double high;
    constexpr bool contains(double threshold) const noexcept { return threshold >= low && threshold <= high; }
};

/// What is known of a model before it is run.
struct Model {
    std::string provider;  ///< "local", "ollama", "openai"
    std::string name;
    std::string weights = {};  ///< digest of what computes the vectors; empty as long as it is not known
    std::size_t dimension = 0;
    std::size_t most_tokens = 0;      ///< longer texts are cut at a token; 0: not known
    std::string passage_prefix = {};  ///< put before every text by the provider, never by the caller
    std::string query_prefix = {};
    catalog::TextRecipe recipe = catalog::TextRecipe::labelled;
    std::optional<double> search_threshold = {};   ///< least cosine similarity of a product to a query, where measured
    std::optional<double> similar_threshold = {};  ///< and of a product to a product
    std::optional<double> chroma_threshold = {};   ///< of a search in Chroma, where it is another than search_threshold
    std::optional<ThresholdRange> threshold_range = {};
    std::optional<double> similarity_target = {};  ///< least mean similarity of what sound searches find

    std::string_view prefix(Role role) const noexcept { return role == Role::passage ? passage_prefix : query_prefix; }

    /// 64 hexadecimal digits over all that decides a product's vector: provider, name, weights, dimension, most_tokens,
    /// prefixes and recipe. Vectors of one fingerprint may be compared with each other.
    std::string fingerprint() const;
};

struct TextVector {
    std::vector<float> values;
    std::size_t cut_tokens = 0;  ///< tokens at the text's end that the model did not read
    std::size_t tokens = 0;      ///< that it read, prefix included; 0: not known
};

/// One thread at a time.
class Embedder {
public:
    virtual ~Embedder() = default;
    virtual const Model& model() const noexcept = 0;

    /// The vectors of `texts` in their order, as the provider gives them. Throws Error: embedder_unavailable, timed_out
    /// and overloaded pass by themselves; request_invalid and too_large blame a text of the batch; all others blame the
    /// model or the set-up.
    virtual std::vector<TextVector> embed(std::span<const std::string_view> texts, Role role) = 0;
};

}  // namespace decant::embed
