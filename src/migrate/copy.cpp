#include "migrate/copy.hpp"

#include "migrate/detail/copy_job.hpp"
#include "migrate/detail/retry.hpp"

namespace decant::migrate {

CopyReport copy_collection(const CopyRequest& request, CopyObserver& observer) {
    try {
        return detail::run_with_retries([&] { return detail::CopyJob{request, observer}; }, observer);
    } catch (const Error& error) {
        if (error.code() != ErrorCode::cancelled) throw;
        throw Error{error.code(), error.happened(), "Go on with: " + request.command_line};
    }
}

}  // namespace decant::migrate
