#include <fmt/format.h>

#include <array>

#include "core/shell_word.hpp"
#include "embed/ollama_embedder.hpp"
#include "operate/detail/check.hpp"
#include "work/product_embedder.hpp"

namespace decant::operate::detail {
namespace {

Finding look_reachable(Examination& patient) {
    const embed::EmbedderChoice choice = patient.choice();
    if (choice.provider == "none") return skipped("DECANT_EMBEDDER is none: nothing embeds texts");
    try {
        patient.embedder();
    } catch (const Error& error) {
        // The server answered; its model is the next check's.
        if (error.code() != ErrorCode::not_found) return failure(error.happened(), error.remedy());
    }
    return ok(fmt::format("The embedder ({}) answers", choice.provider));
}

Finding look_model(Examination& patient) {
    try {
        const embed::Model& model = patient.embedder().model();
        return ok(fmt::format("Model '{}' ({}): {} dimensions", model.name, model.provider, model.dimension));
    } catch (const Error& error) {
        if (error.code() != ErrorCode::not_found) throw;
        Finding finding = failure(error.happened(), error.remedy());
        const embed::EmbedderChoice choice = patient.choice();
        if (choice.provider != "ollama") return finding;
        const std::string pull = fmt::format("ollama pull {}", shell_word(choice.model));
        finding.remedy = fmt::format("{}, or: decant model pull {}", pull, shell_word(choice.model));
        finding.mend =
            Mend{.is_safe = false, .what = fmt::format("have Ollama fetch it ({})", pull), .run = [&patient] {
                     embed::pull_ollama(embed::server_options(patient.settings(), patient.choice()),
                                        [](std::uint64_t, std::uint64_t) {});
                     patient.forget_embedder();
                 }};
        return finding;
    }
}

Finding look_vectors(Examination& patient) {
    work::ProductEmbedder vectors{patient.db(), patient.embedder()};
    const std::string name = vectors.model().name;
    const std::optional<work::ModelLikeness> likeness = vectors.compare_model();
    if (!likeness) {
        vectors.check_model(false);
        return ok(fmt::format("The vector that '{}' gives for a fixed text is remembered from now on", name));
    }
    if (likeness->is_same)
        return ok(fmt::format("'{}' gives the vector for a fixed text that it gave before (cosine {:.4f})", name,
                              likeness->cosine));
    return failure(
        fmt::format("'{}' gives another vector for a fixed text than before (cosine {:.3f}): the model changed under "
                    "its name",
                    name, likeness->cosine),
        "Bring the old model back, or take the new one for all products: decant embed --all",
        Mend{.is_safe = false,
             .what = "take the new model, and mark all vectors of the old one as stale",
             .run = [&patient] { work::ProductEmbedder{patient.db(), patient.embedder()}.check_model(true); }});
}

constexpr std::array checks{
    Check{"embedder.reachable", "Without it questions have no vector, and new products get none.", look_reachable},
    Check{"embedder.model", "Questions and products are embedded by this one.", look_model},
    Check{"embedder.vectors", "Vectors of two models cannot be compared; the search would find anything.",
          look_vectors},
};

}  // namespace

std::span<const Check> embedder_checks() noexcept {
    return checks;
}

}  // namespace decant::operate::detail
