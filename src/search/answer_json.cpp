#include "search/answer_json.hpp"

#include "core/error.hpp"
#include "core/json_members.hpp"

namespace decant::search {
namespace {

json::array json_of(const std::vector<FacetValue>& values) {
    json::array out;
    for (const FacetValue& value : values)
        out.push_back(json::object{{"id", value.id}, {"name", value.name}, {"products", value.products}});
    return out;
}

}  // namespace

json::object understood_json(const Answer& answer) {
    json::array meanings;
    for (const Meaning& meaning : answer.understood.meanings)
        meanings.push_back(
            json::object{{"kind", meaning_names[meaning.kind]}, {"text", meaning.text}, {"value", meaning.value}});
    json::array corrections;
    for (const Correction& correction : answer.corrections)
        corrections.push_back(json::object{{"written", correction.written}, {"taken_for", correction.taken_for}});
    return {{"text", answer.understood.text},
            {"meanings", std::move(meanings)},
            {"drops_names", answer.drops_names},
            {"corrections", std::move(corrections)}};
}

json::array legs_json(const Answer& answer) {
    json::array legs;
    for (const LegReport& report : answer.legs) {
        json::object leg{
            {"leg", leg_names[report.leg]}, {"found", report.found}, {"milliseconds", report.milliseconds}};
        if (report.failure) leg["error"] = traits_of(report.failure->code()).name;
        legs.push_back(std::move(leg));
    }
    return legs;
}

json::object json_of(const Facets& facets) {
    json::array prices;
    for (const PriceRange& range : facets.prices)
        prices.push_back(
            json::object{{"from", or_null(range.from)}, {"to", or_null(range.to)}, {"products", range.products}});
    return {{"products", facets.products},
            {"category", json_of(facets.categories)},
            {"brand", json_of(facets.brands)},
            {"price", std::move(prices)}};
}

json::object json_of(const Diagnosis& diagnosis) {
    json::array filters;
    for (const FilterEffect& filter : diagnosis.filters)
        filters.push_back(json::object{{"filter", filter.name}, {"removed", filter.removed}});
    json::array causes;
    for (const std::string& cause : diagnosis.causes())
        causes.emplace_back(cause);
    return {{"causes", std::move(causes)},
            {"products", diagnosis.products},
            {"without_embedding", diagnosis.without_embedding},
            {"passing", diagnosis.passing},
            {"filters", std::move(filters)},
            {"best_similarity", or_null(diagnosis.best_similarity)}};
}

}  // namespace decant::search
