#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/services.hpp"
#include "core/error.hpp"
#include "net/http_server.hpp"
#include "search/engine.hpp"
#include "store/search_events.hpp"
#include "trace/caller.hpp"

namespace decant::api {

/// A search that ran for a request.
struct SearchRecord {
    store::SearchEvent::Kind kind = store::SearchEvent::Kind::search;
    std::string_view run_id;  ///< of the request
    std::string_view question = {};
    double milliseconds = 0;               ///< of all of it
    double intent_ms = 0;                  ///< of it, until it was known what is asked, before the search
    std::optional<double> answer_ms = {};  ///< of the wording of an answer, where there was one
    store::Exposure exposure = {};
    trace::Caller caller = {};  ///< of the request
};

/// The trace that a request belongs to.
trace::Caller caller_of(const net::ServerRequest& request);

/// Tells the record of searches, the histograms of the stages, and where it is not the chat's, which tells more, the
/// traces.
void record_search(Services& services, const SearchRecord& record, const search::Answer& answer);

/// The same of products that are similar to one.
void record_similar(Services& services, const SearchRecord& record, const std::vector<search::Hit>& hits);

/// Through no fault of the caller's.
bool is_failure(const Error& error);

/// The same of one that failed. What the caller did wrong is no failure and is left out.
void record_failure(Services& services, const SearchRecord& record, const Error& error);

}  // namespace decant::api
