#pragma once

#include <string>

#include "core/json.hpp"
#include "migrate/copy.hpp"
#include "migrate/into.hpp"
#include "migrate/verify_table.hpp"

namespace decant::migrate {

/// The closing report as one JSON document: what --json prints and the run record keeps.
json::object report_json(const CopyReport& report);

/// The outcome of a verification alone.
std::string verification_json(const VerifyOutcome& outcome);

/// What `decant copy --into --json` prints.
std::string into_json(const IntoReport& report);

/// What `decant verify --json` gives for one table.
json::object verification_json(const VerifyTableReport& report);

/// A ready SQL query for the nearest neighbours of one record, with the operator of the collection's space.
std::string example_sql(const CopyReport& report);

/// Four lines of Python that run it.
std::string example_python(const CopyReport& report, const std::string& dsn);

}  // namespace decant::migrate
