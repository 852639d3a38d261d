#include "api/handling.hpp"

#include <optional>
#include <utility>

#include "api/worker.hpp"
#include "core/error.hpp"
#include "pg/sql_state.hpp"

namespace decant::api {
namespace {

Reply handled(const Route& route, Call& call) {
    std::optional<Worker::Request> request;
    if (call.worker != nullptr) request.emplace(*call.worker);
    Reply reply = route.handle(call);
    if (route.is_read_back) {
        Worker& worker = *call.worker;
        worker.services().replicas.note_write(call.caller.rate_key, [&]() -> pg::Connection& { return worker.db(); });
    }
    return reply;
}

}  // namespace

Reply reply_of(const Route& route, Call& call) {
    call.may_be_retried = call.worker != nullptr && (route.method == "GET" || route.lane == LaneKind::search);
    try {
        return handled(route, call);
    } catch (const Error& error) {
        // A table that is not there, or is there already, is nothing that the caller asked for.
        const ErrorTraits& traits = traits_of(error.code());
        if (pg::is_statement_error(error) && (traits.http_status == 404 || traits.http_status == 409))
            throw Error{ErrorCode::internal, error.happened(), error.remedy()};
        if (call.worker == nullptr || error.code() != ErrorCode::store_unavailable) throw;
        // A connection that broke while nobody used it: the database may well be there.
        call.worker->drop();
        if (!std::exchange(call.may_be_retried, false)) throw;
        return handled(route, call);
    }
}

}  // namespace decant::api
