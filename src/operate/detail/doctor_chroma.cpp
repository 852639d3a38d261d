#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "core/quantity_text.hpp"
#include "core/shell_word.hpp"
#include "migrate/product_index.hpp"
#include "operate/detail/check.hpp"

namespace decant::operate::detail {
namespace {

constexpr std::size_t page_rows = 1'000;
constexpr std::size_t most_shown = 3;

bool is_searched(const Settings& settings) {
    return settings.get("PRODUCT_SEARCH_STRATEGY") != "pgvector_primary" || !settings.is_on("USE_PGVECTOR");
}

Finding look_reachable(Examination& patient) {
    if (!patient.has_chroma()) patient.chroma();
    try {
        const chroma::Collection& collection = patient.collection();
        return ok(fmt::format("Collection '{}' of {}: {} records", collection.name, patient.chroma().name(),
                              grouped(patient.chroma().survey(collection).records)));
    } catch (const Error& error) {
        const auto found = is_searched(patient.settings()) ? failure : warning;
        return found(error.happened(), error.remedy(), std::nullopt);
    }
}

Finding look_damage(Examination& patient) {
    chroma::Source& source = patient.chroma();
    const chroma::CollectionSurvey survey = source.survey(patient.collection());
    std::vector<chroma::Finding> findings = source.findings();
    std::ranges::copy(survey.findings, std::back_inserter(findings));
    std::vector<std::string> shown;
    for (const chroma::Finding& finding : findings) {
        if (finding.severity == chroma::Finding::Severity::damage && shown.size() < most_shown)
            shown.push_back(fmt::format("{}: {}", finding.object, finding.happened));
    }
    if (survey.records_lost > 0) shown.push_back(fmt::format("{} records cannot be had whole", survey.records_lost));
    if (shown.empty()) return ok("Nothing of it is damaged");
    return warning(fmt::format("{}", fmt::join(shown, "; ")),
                   fmt::format("decant inspect {}", shell_word(source.name())));
}

Finding look_drift(Examination& patient) {
    const auto reader = patient.chroma().read(patient.collection());
    patient.require_vectors();
    migrate::ProductIndex index;
    index.load(patient.db(), std::nullopt);
    std::vector<bool> is_in_chroma(index.products().size());
    std::uint64_t unknown = 0;
    std::uint64_t changed = 0;
    for (auto page = reader->next_page(page_rows); !page.empty(); page = reader->next_page(page_rows)) {
        for (const chroma::Record& record : page) {
            const auto product = index.find(record);
            if (!product) {
                ++unknown;
                continue;
            }
            is_in_chroma[*product] = true;
            changed += migrate::agrees(record, index.products()[*product]) ? 0U : 1U;
        }
    }
    std::uint64_t only_chroma = 0;
    std::uint64_t only_here = 0;
    for (std::size_t i = 0; i < is_in_chroma.size(); ++i) {
        const migrate::ProductRow& row = index.products()[i];
        only_chroma += is_in_chroma[i] && !row.has_embedding ? 1U : 0U;
        only_here += !is_in_chroma[i] && row.has_embedding && row.is_active ? 1U : 0U;
    }
    if (unknown + changed + only_chroma + only_here == 0)
        return ok(fmt::format("{} records, and the same products have vectors here", grouped(reader->record_count())));
    return warning(
        fmt::format("{} records are of no product, {} of another text than their product's; {} products have "
                    "a vector only in Chroma, {} only here",
                    grouped(unknown), grouped(changed), grouped(only_chroma), grouped(only_here)),
        "What Chroma has and PostgreSQL lacks: decant migrate. The other way: decant export --to URL");
}

constexpr std::array checks{
    Check{"chroma.reachable", "Strategies fall back on it, and `decant migrate` reads it.", look_reachable},
    Check{"chroma.damage", "What is damaged there cannot be moved, nor found by its searches.", look_damage},
    Check{"chroma.drift", "Strategies that ask both give other answers by chance; a way back to Chroma loses products.",
          look_drift},
};

}  // namespace

std::span<const Check> chroma_checks() noexcept {
    return checks;
}

}  // namespace decant::operate::detail
