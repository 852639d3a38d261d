#include "sync/deactivation.hpp"

#include <charconv>

#include "core/failpoint.hpp"
#include "core/log.hpp"
#include "store/sync_store.hpp"

namespace decant::sync {

void deactivate_vanished(pg::Connection& db, const Settings& settings, const std::string& token, SyncReport& report) {
    constexpr double whole = 100;
    const std::string floor = settings.get("DUX_MAX_VANISHED_PERCENT").value_or("20");
    double percent = 0;
    std::from_chars(floor.data(), floor.data() + floor.size(), percent);
    store::SyncStore store{db};
    SyncCounts& counts = report.end.counts;
    pg::Transaction transaction{db};
    const store::SyncStore::Vanishing found = store.count_vanished(report.run, report.source);
    if (found.vanished > 0 && counts.without_sku > 0) {
        counts.withheld = found.vanished;
        log::warning(
            "{}: {} products seem to be no longer there, but {} items came without a sku that could be read and may be "
            "they, so none is deactivated",
            report.source, found.vanished, counts.without_sku);
    } else if (static_cast<double>(found.vanished) * whole > percent * static_cast<double>(found.known)) {
        counts.withheld = found.vanished;
        log::warning(
            "{}: {} of {} products are no longer there; that is over DUX_MAX_VANISHED_PERCENT={}, so none is "
            "deactivated",
            report.source, found.vanished, found.known, floor);
    } else if (found.vanished > 0) {
        counts.deactivated = store.deactivate_vanished(report.run, report.source);
    }
    failpoint("sync.deactivated");
    // With the deactivation, so that its count survives whoever dies before the end.
    store.save_page(report.run, token, {.seen = {}, .items = {}, .quarantined = {}, .cursor = report.end.to_json()});
    transaction.commit();
}

}  // namespace decant::sync
