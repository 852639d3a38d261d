#pragma once

#include <functional>
#include <optional>

#include "embed/detail/embed_answer.hpp"
#include "embed/embedder.hpp"

namespace decant::embed::detail {

/// Sends texts with their prefixes in one request; none: one of them has more tokens than the model takes.
using Ask = std::function<std::optional<EmbedAnswer>(std::span<const std::string> texts)>;

/// A model behind requests: texts of about equal length go together; one that is too long is found by halves and cut
/// at a word's end down to what the server takes, at most a tenth shorter than it could be. Its tokens are the server's
/// to count, so how many were cut is an estimate. Vectors are brought to length 1.
class ServerEmbedder final : public Embedder {
public:
    /// Of one request. An estimate: a model of nomic-embed-text's size on a busy processor takes a minute or two, and
    /// its server is silent until then.
    struct Limits {
        std::size_t texts = 32;
        std::size_t bytes = 24UL << 10U;
    };

    /// Where the model's dimension is not known, it is asked for one vector.
    ServerEmbedder(Model model, Ask ask, Limits limits);

    const Model& model() const noexcept override { return model_; }
    std::vector<TextVector> embed(std::span<const std::string_view> texts, Role role) override;

private:
    struct Call;
    void embed_places(Call& call, std::span<const std::size_t> places);
    TextVector embed_cut(std::string_view text, Role role);
    std::optional<EmbedAnswer> ask(std::span<const std::string> texts);

    Model model_;
    Ask ask_;
    Limits limits_;
};

}  // namespace decant::embed::detail
