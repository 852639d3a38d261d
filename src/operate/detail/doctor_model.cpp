#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/quantity_text.hpp"
#include "core/shell_word.hpp"
#include "operate/detail/check.hpp"
#include "operate/operation_lock.hpp"
#include "store/embedding_indexes.hpp"
#include "store/second_column.hpp"
#include "store/server_check.hpp"

namespace decant::operate::detail {
namespace {

using store::SecondState;

/// None where there is no second column of decant's.
std::optional<store::SecondColumn> second_of(Examination& patient) {
    patient.require_vectors();
    auto second = store::read_second_column(patient.db());
    return second && second->comment ? std::move(second) : std::nullopt;
}

Finding look_column(Examination& patient) {
    patient.require_vectors();
    const auto told = store::read_column_model(patient.db());
    if (!told) return ok("The settings say which model the vectors are of: it was never changed");
    if (told->dimension == patient.catalog().dimension)
        return ok(fmt::format("The column tells that its vectors are of '{}' ({})", told->name, told->provider));
    const std::string sql = "COMMENT ON COLUMN products.embedding IS NULL;";
    return failure(fmt::format("The column tells that its vectors are of '{}' ({}, {} dimensions), and is {}",
                               told->name, told->provider, told->dimension, patient.catalog().column_type()),
                   store::psql_call(patient.db(), sql) + "; from then on the settings say it",
                   statement(patient, false, "remove what the column tells", sql));
}

Finding look_settings(Examination& patient) {
    patient.require_vectors();
    const auto told = store::read_column_model(patient.db());
    const embed::EmbedderChoice chosen = embed::chosen_embedder(patient.settings());
    if (!told || (told->provider == chosen.provider && told->name == chosen.model))
        return ok(fmt::format("{} {}", chosen.provider, chosen.model));
    if (patient.has_chroma())
        return ok(fmt::format("The settings name {}, of which Chroma has vectors, and the catalog is of {}",
                              chosen.model, told->name));
    return warning(
        fmt::format("The settings name {} ({}), which nothing heeds: the catalog's vectors are of {} ({})",
                    chosen.model, chosen.provider, told->name, told->provider),
        fmt::format("In .env: DECANT_EMBEDDER={} and DECANT_EMBEDDING_MODEL={}", told->provider, told->name));
}

Finding look_change(Examination& patient) {
    const auto second = second_of(patient);
    if (!second || second->comment->second != SecondState::filling) return ok("No change of the model is under way");
    const std::string& name = second->comment->model.name;
    if (const auto running = running_operation(patient.db()))
        return ok(fmt::format("A change to '{}' is under way, and {} runs", name, *running));
    const store::SecondCounts counts = store::count_second(patient.db());
    return warning(fmt::format("A change to '{}' was left, with {} of {} products embedded: it takes room, and every "
                               "change of a product writes it too",
                               name, grouped(counts.fresh), grouped(counts.products)),
                   fmt::format("Go on: decant model change {}; or give it up: decant model forget", shell_word(name)));
}

Finding look_kept(Examination& patient) {
    const auto second = second_of(patient);
    if (!second) return ok("No second column of vectors");
    const std::string& name = second->comment->model.name;
    if (!second->is_marked) {
        return failure(
            fmt::format("The trigger that marks vectors of '{}' when their text changes is gone: a rollback would take "
                        "old ones for fresh",
                        name),
            "decant doctor --fix, or let them go: decant model forget",
            Mend{.is_safe = false, .what = "make it again, and count all of these vectors as stale", .run = [&patient] {
                     pg::Transaction tx{patient.db(), "BEGIN; SET LOCAL lock_timeout = '5s'"};
                     store::restore_second_marks(patient.db(), patient.catalog().schema);
                     tx.commit();
                 }});
    }
    if (second->comment->second != SecondState::kept) return ok(fmt::format("It is being filled by '{}'", name));
    const bool has_index =
        std::ranges::any_of(store::read_embedding_indexes(patient.db(), store::second_columns.embedding),
                            [](const store::EmbeddingIndex& index) { return index.is_valid && index.searched(); });
    if (!has_index) {
        return warning(fmt::format("The vectors of '{}', which are kept for a rollback, have no index: searches would "
                                   "compare all of them",
                                   name),
                       "After a rollback: decant reindex; or let them go: decant model forget");
    }
    return ok(fmt::format("The vectors of '{}' are kept since {}", name, second->comment->since));
}

constexpr std::array checks{
    Check{"model.column", "Questions are embedded by the model that the column names.", look_column},
    Check{"model.settings", "A setting that is not heeded looks as if it were.", look_settings},
    Check{"model.change", "A change of the model that was left half done serves nobody.", look_change},
    Check{"model.kept", "`decant model rollback` is back at once, and knows what is stale.", look_kept},
};

}  // namespace

std::span<const Check> model_checks() noexcept {
    return checks;
}

}  // namespace decant::operate::detail
