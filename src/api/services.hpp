#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "api/catalog_figures.hpp"
#include "api/database_watch.hpp"
#include "api/experiment_desk.hpp"
#include "api/metrics_registry.hpp"
#include "api/query_embedders.hpp"
#include "api/replicas.hpp"
#include "chat/llm_client.hpp"
#include "chat/turn_keeper.hpp"
#include "quality/monitor.hpp"
#include "search/chroma_search.hpp"
#include "search/engine.hpp"
#include "search/shared_vocabulary.hpp"
#include "store/search_events.hpp"
#include "trace/tracer.hpp"

namespace decant::api {

class Worker;
class SyncDuty;

/// What may change while the server runs.
struct Options {
    std::uint64_t version = 0;
    search::EngineOptions engine = {};
};

/// What the watch of the database saw last.
struct DatabaseFacts {
    std::atomic<bool> has_schema = false;
    std::atomic<bool> has_extension = false;
};

/// What all workers share. Any thread.
struct Services {
    std::string version;  ///< of the program
    std::string conninfo;
    DatabaseWatch& database;
    Replicas& replicas;
    QueryEmbedders& embedders;
    DatabaseFacts& facts;
    MetricsRegistry& metrics;
    store::SearchEvents& events;
    ExperimentDesk& experiments;
    std::string configured_provider = {};
    trace::Tracer& tracer;
    chat::TurnKeeper& turns;
    SyncDuty* sync = nullptr;                           ///< set wherever there are routes
    std::string configured_model = {};                  ///< empty: none
    std::unique_ptr<search::ChromaSearch> chroma = {};  ///< null: not configured
    search::SharedVocabulary vocabulary = {};

    std::string llm_provider = {};  ///< of open_llm
    std::function<std::unique_ptr<chat::LlmClient>()> open_llm = [] { return nullptr; };
    std::function<std::vector<std::string>()> reload = {};
    std::function<ServerState()> state = {};
    std::function<std::optional<CatalogCount>()> catalog_count = [] { return std::nullopt; };  ///< none: not yet
    std::function<bool(std::function<void(Worker&)>)> offer_shadow = {};  ///< for when nobody waits; false: no room
    std::function<bool()> is_open = [] { return false; };                 ///< callers without credentials are let in
    std::stop_source draining = {};                                       ///< stopped: the process is about to end

    /// That makes, or is to make, the catalog's vectors.
    std::string model_name() const { return quality_subject().model; }
    quality::QualitySubject quality_subject() const {
        const std::shared_ptr<QueryEmbedder> embedder = embedders.current();
        if (embedder->is_open()) return {embedder->model().name, embedder->model().similarity_target};
        if (const auto column = embedders.column()) return quality::subject_of(column->provider, column->name);
        return quality::subject_of(configured_provider, configured_model);
    }

    std::shared_ptr<const Options> options() const {
        const std::lock_guard lock{options_mutex};
        return current_options;
    }
    void set_options(search::EngineOptions engine) {
        const std::lock_guard lock{options_mutex};
        const std::uint64_t next = current_options ? current_options->version + 1 : 1;
        current_options = std::make_shared<const Options>(Options{next, engine});
    }

    mutable std::mutex options_mutex = {};
    std::shared_ptr<const Options> current_options = {};
};

}  // namespace decant::api
