#pragma once

#include <string>
#include <vector>

#include "core/json.hpp"
#include "search/engine.hpp"

/// How search and similar show what they found.
namespace decant::cli {

json::array json_of(const std::vector<search::Hit>& hits);
json::object json_of(const std::string& query, const search::Answer& answer);

/// One line, or nothing where all of the text is searched for.
void print_understood(const search::Answer& answer);
void print_table(const std::vector<search::Hit>& hits);
void print_facets(const search::Facets& facets);
/// Who was asked, and the server's plan.
void print_explained(const search::Answer& answer);

}  // namespace decant::cli
