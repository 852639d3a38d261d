#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/settings.hpp"
#include "embed/embedder.hpp"
#include "pg/connection.hpp"
#include "search/chroma_search.hpp"
#include "search/diagnosis.hpp"
#include "search/facets.hpp"
#include "search/keyword_search.hpp"
#include "search/shard_search.hpp"
#include "search/strategy.hpp"
#include "search/understanding.hpp"
#include "search/vector_search.hpp"

namespace decant::search {

struct Request {
    std::string text;
    Filter filter = {};
    std::uint64_t limit = 10;
    std::uint64_t offset = 0;
    std::optional<double> threshold = {};   ///< least similarity, in the place of the settings' and the model's
    std::optional<Strategy> strategy = {};  ///< in the place of the settings'
    bool literal = false;                   ///< all of the text is searched for, nothing in it is taken for a filter
    std::vector<MeaningKind> ignored = {};  ///< nothing of these kinds is understood
    bool facets = false;
    bool explains = false;
    std::vector<float> vector = {};  ///< of question_text(), where the caller has it
};

/// What the parts of a search took.
struct StageTimes {
    double understand_ms = 0;             ///< reading the question, looking names up
    std::optional<double> embed_ms = {};  ///< none: no vector had to be made
    double search_ms = 0;                 ///< all else
};

struct Answer {
    std::vector<Hit> hits;
    std::size_t found = 0;                           ///< on a page that begins with the first
    Strategy strategy = Strategy::pgvector_primary;  ///< that was asked for
    std::string used;                                ///< as of StrategyOutcome
    bool degraded = false;
    std::string reason;
    std::vector<LegReport> legs;
    Understood understood;     ///< what of the text was taken for filters
    bool drops_names = false;  ///< nothing passed the category or brand that was understood: they do not filter
    std::optional<double> threshold = {};     ///< least similarity of pgvector's hits; none where it was not asked
    std::optional<Facets> facets = {};        ///< of all that pass the filter
    std::optional<Diagnosis> diagnosis = {};  ///< of an answer with fewer than enough_hits
    std::vector<Correction> corrections;      ///< of misspelt words, where words were searched for
    std::vector<std::string> warnings;        ///< about settings that cannot be meant so
    VectorAnswer explained;                   ///< scan, estimate and plan of pgvector, where they were asked for
    StageTimes times;
};

struct EngineOptions {
    Strategy strategy = Strategy::pgvector_primary;
    bool use_pgvector = true;
    std::optional<double> pgvector_threshold = {};
    std::optional<double> chroma_threshold = {};
    bool is_sharded = false;  ///< pgvector's leg asks the sharded copy of the catalog
    ShardFailure on_shard_failure = ShardFailure::partial;
    store::VectorColumns columns = store::live_columns;  ///< whose vectors pgvector's leg compares
};

/// USE_PGVECTOR, PRODUCT_SEARCH_STRATEGY, the thresholds, SHARD_SEARCH and SHARD_FAILURE.
EngineOptions engine_options(const Settings& settings);

/// What the engine asks besides its connection, each when it is first needed. What they throw is the failure of the leg
/// that needed them.
struct Resources {
    std::function<embed::Embedder&()> embedder = {};
    /// In its place, where the catalog's model may be changed meanwhile: gives that of the column, and for none the
    /// settings' own, whose vectors Chroma has.
    std::function<embed::Embedder&(const std::optional<store::ColumnModel>& column)> embedder_of = {};
    /// A second connection, for what Chroma's records are in the catalog.
    std::function<std::shared_ptr<pg::Connection>()> connect = {};
    const ChromaSearch* chroma = nullptr;  ///< null: not configured
    /// Shared with other engines; empty: this one reads its own.
    std::function<std::shared_ptr<const Vocabulary>(pg::Connection&)> vocabulary = {};
};

/// Searches products. One connection, one caller at a time; hybrid asks its two legs at once.
class Engine {
public:
    /// `db` must outlive it.
    Engine(pg::Connection& db, EngineOptions options, Resources resources);

    /// Throws Error: request_invalid and not_found of the filter; config_invalid of a strategy whose only leg is off;
    /// source_unavailable of a shard that must not be missing; else the first leg's failure, where all legs failed.
    Answer search(const Request& request);

    /// What is searched for and embedded of a question: all of it, or what is left when filters were understood.
    std::string question_text(const std::string& text);

    /// The catalog's names, as they were read last.
    std::shared_ptr<const Vocabulary> vocabulary();

    /// False for a strategy that would be another one here, or none, because a leg of it is off.
    bool can_ask(Strategy strategy) const noexcept;

    const EngineOptions& options() const noexcept { return options_; }

private:
    struct Question;

    Legs legs_for(Question& question);
    LegAnswer ask_pgvector(Question& question, const LegQuery& query);
    ChromaAnswer find_in_chroma(const VectorQuery& asked);
    LegAnswer ask_chroma(Question& question, const LegQuery& query);
    LegAnswer ask_keyword(Question& question, const LegQuery& query);
    StrategyOutcome answer_of(Question& question);
    embed::Embedder& embedder_of(const std::optional<store::ColumnModel>& column);
    /// The question as the model of that column makes it. Any thread.
    std::shared_ptr<const std::vector<float>> vector_of(Question& question,
                                                        const std::optional<store::ColumnModel>& column);
    VectorSearcher& vectors();
    ShardSearcher& shards();
    VectorAnswer nearest(Question& question, VectorQuery query);
    VectorAnswer nearest_of_shards(Question& question, VectorQuery query);
    static void tell_missing(Answer& answer);
    void diagnose_weak(Question& question);
    void try_to_diagnose(Question& question);
    void warn_of_threshold(Question& question);

    pg::Connection& db_;
    EngineOptions options_;
    Resources resources_;
    std::unique_ptr<VectorSearcher> vectors_;
    std::optional<store::ColumnModel> column_;  ///< what pgvector's leg compares, as it was told last
    std::mutex opening_;
    std::unique_ptr<ShardSearcher> shards_;
    std::unique_ptr<WordSearcher> words_;
    std::shared_ptr<pg::Connection> second_;
};

}  // namespace decant::search
