#pragma once

#include "core/json.hpp"
#include "search/engine.hpp"

/// The parts of an answer as the command line and the API show them.
namespace decant::search {

/// {text, meanings: [{kind, text, value}], drops_names, corrections: [{written, taken_for}]}
json::object understood_json(const Answer& answer);
/// [{leg, found, milliseconds, error}]; error, a code, where it failed
json::array legs_json(const Answer& answer);
/// {products, category: [{id, name, products}], brand, price: [{from, to, products}]}
json::object json_of(const Facets& facets);
/// {causes, products, without_embedding, passing, filters: [{filter, removed}], best_similarity}
json::object json_of(const Diagnosis& diagnosis);

}  // namespace decant::search
