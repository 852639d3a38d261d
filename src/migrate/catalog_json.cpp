#include "core/json.hpp"
#include "migrate/catalog_migration.hpp"

namespace decant::migrate {

std::string migration_json(const MigrationReport& report) {
    json::array notes;
    for (const ProductNote& note : report.notes)
        notes.push_back({{"product_id", note.id}, {"name", note.name}, {"reason", note.reason}});
    json::array phases;
    for (const PhaseTime& phase : report.phases)
        phases.push_back({{"name", phase.name}, {"seconds", phase.seconds}});
    json::array warnings(report.warnings.begin(), report.warnings.end());
    json::object out{{"run", report.run_id},
                     {"collection", report.collection.name},
                     {"total", report.total},
                     {"in_chroma", report.in_chroma},
                     {"before", report.before},
                     {"planned", report.planned},
                     {"migrated", report.migrated},
                     {"skipped", report.skipped},
                     {"already_embedded", report.already},
                     {"waiting", report.waiting},
                     {"stale", report.stale},
                     {"to_embed", report.to_embed},
                     {"embedded", report.embedded},
                     {"cut", report.cut},
                     {"model", report.model},
                     {"probed", report.probed},
                     {"likeness", report.likeness ? json::value(*report.likeness) : nullptr},
                     {"not_reused", report.not_reused},
                     {"errors", report.errors},
                     {"created", report.created},
                     {"unmatched_records", report.unmatched_records},
                     {"after", report.after},
                     {"expected", report.expected},
                     {"coverage", report.coverage()},
                     {"compared", report.compared},
                     {"differences", report.differences},
                     {"lost", report.lost},
                     {"gone", report.gone},
                     {"not_created", report.refused},
                     {"other_vectors", report.others},
                     {"verified", report.is_verified()},
                     {"bytes", report.bytes},
                     {"seconds", report.seconds},
                     {"phases", std::move(phases)},
                     {"products", std::move(notes)},
                     {"warnings", std::move(warnings)}};
    if (report.recall) out["recall"] = {{"recall", report.recall->recall}, {"queries", report.recall->queries}};
    return json_text(out);
}

}  // namespace decant::migrate
