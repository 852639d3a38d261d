#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "work/catalog_model.hpp"
#include "work/worker.hpp"

namespace decant::work {

struct WorkerRun {
    std::string conninfo;
    WorkerSetup setup = {};
    bool once = false;          ///< ends when nothing is due, and does not outlast a provider or a server that is away
    std::stop_token stop = {};  ///< ends it as an interrupt does
    bool sweep = true;          ///< looks for products that no trigger saw, at the start and every minute
    /// Asked for at the start and after the database was away; a provider that is away then is waited for as well.
    std::function<embed::Embedder&()> embedder = {};
    /// In its place, where the catalog's model may be changed meanwhile: asked again when it was.
    EmbedderOf embedder_of = {};
    /// After every turn that had jobs, with what it did.
    std::function<void(const WorkerCounts&)> on_turn = {};
};

/// Works until it is interrupted (see core/interrupt) or stopped, which it heeds between two turns. Leases are renewed
/// while the model works; a server that goes away is waited for and connected to again; an outage of the provider opens
/// a breaker and charges no product an attempt. Throws Error for what does not pass by itself, and with `once` for what
/// does.
WorkerCounts run_worker(const WorkerRun& run);

/// Several at once over connections of their own: one stores while another has the model, which is asked by one at a
/// time. `on_turn` is called by one at a time too. The first error is thrown when all have ended.
WorkerCounts run_workers(const WorkerRun& run, std::size_t count);

}  // namespace decant::work
