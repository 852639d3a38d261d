#pragma once

#include <variant>

#include "embed/embedder.hpp"

namespace decant::embed {

/// Why a text has no vector, in a sentence for a person.
struct TextFault {
    std::string reason;
};

using Outcome = std::variant<TextVector, TextFault>;

/// Calls an embedder and lets nothing through that is no embedding: as many vectors as texts, each of the model's
/// dimension, finite and not zero, and different texts with different vectors. An answer that breaks any of it is
/// thrown away whole and asked for again by halves, so that a text is blamed only for what it does alone. Vectors in
/// another order than the texts cannot be told from right ones, unless some are equal. One thread at a time.
class CheckedEmbedder {
public:
    /// `inner` must outlive this.
    explicit CheckedEmbedder(Embedder& inner) : inner_(inner) {}

    const Model& model() const noexcept { return inner_.model(); }

    /// One outcome a text, in order. A text that is blank or no UTF-8 is never sent.
    /// Throws what the embedder throws about itself (retry the whole call when it is_retryable), and
    /// Error{dimension_mismatch} when all vectors of the first answer agree on another dimension.
    std::vector<Outcome> embed(std::span<const std::string_view> texts, Role role);

private:
    struct Call;
    void embed_range(Call& call, std::size_t begin, std::size_t end);

    Embedder& inner_;
};

}  // namespace decant::embed
