// The catalog goes to another embedding model in a second column, and back; searches never compare across models.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <fstream>

#include "core/error.hpp"
#include "core/json.hpp"
#include "embed/ollama_embedder.hpp"
#include "operate/operation_lock.hpp"
#include "search/engine.hpp"
#include "store/second_column.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/model_case.hpp"
#include "tests/support/synthetic_chroma.hpp"
#include "work/catalog_model.hpp"
#include "work/product_embedder.hpp"

namespace decant::test {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class ModelChange : public testing::Test {
protected:
    /// The whole of the live vectors, in order.
    std::string vectors() const {
        return with_.value(
            "SELECT string_agg(sku || ' ' || embedding::text || embedding_model || encode(embedding_hash, 'hex'), ' ' "
            "ORDER BY sku) FROM products WHERE embedding IS NOT NULL");
    }
    std::string second(const std::string& what) const {
        return json_text(with_.told({"model", "status"}).at("second").at(what));
    }
    void stop_at(const std::string& failpoint, const std::string& model = "second") const {
        const Outcome outcome = with_.run({"model", "change", model}, {"DECANT_FAILPOINT=" + failpoint + ":1"});
        EXPECT_EQ(outcome.exit_code, 137) << outcome.told();
    }
    Settings settings() const {
        return Settings::from({}, {{"OLLAMA_API_URL", with_.url()}, {"OLLAMA_API_MODEL_EMBEDDING", "first"}});
    }

    ModelCase with_;
};

TEST_F(ModelChange, MakesAllVectorsAnewAndSwapsThem) {
    const auto report = with_.changed("second");
    EXPECT_TRUE(report.at("swapped").as_bool());
    EXPECT_EQ(report.at("embedded"), 60);
    EXPECT_EQ(report.at("before").at("name"), "first");
    EXPECT_EQ(report.at("after").at("name"), "second");
    EXPECT_GE(report.at("recall").to_number<double>(), 0.95);
    EXPECT_GE(report.at("recall_before").to_number<double>(), 0.95);
    EXPECT_LT(report.at("pause_milliseconds").to_number<double>(), 1'000);
    EXPECT_EQ(with_.live(), "second 60 0");
    EXPECT_DOUBLE_EQ(with_.similarity_of(7), 1) << "the settings still name the old model";
    EXPECT_EQ(with_.decant().run({"schema", "status"}).exit_code, 0);
    with_.exec("SELECT refresh_embedding_stats()");
    EXPECT_EQ(with_.value("SELECT embedding_models_used[1] || total_products FROM product_embedding_stats"),
              "second60");
}

TEST_F(ModelChange, GoesToAModelOfOtherDimensionsUnderSearchersThatWereThere) {
    pg::Connection db = with_.open();
    const Settings settings = this->settings();
    work::CatalogEmbedder models{settings};
    search::Engine engine{
        db, {}, {.embedder_of = [&](const auto& column) -> embed::Embedder& { return models.of(column); }}};
    const search::Request request{
        .text = ModelCase::text_of(9), .threshold = -1, .strategy = search::Strategy::pgvector, .literal = true};
    const auto best = [&] { return engine.search(request).hits.at(0); };
    EXPECT_NEAR(best().similarity.value_or(0), 1, 1e-6);
    for (const std::string model : {"wide", "", "second"}) {
        SCOPED_TRACE(model);
        if (model.empty()) {
            with_.told({"model", "rollback"});
        } else {
            if (model == "second") with_.told({"model", "forget", "--yes"});
            with_.changed(model);
        }
        const search::Hit hit = best();
        EXPECT_EQ(hit.sku, "p-9");
        EXPECT_NEAR(hit.similarity.value_or(0), 1, 1e-6) << "question and products are of two models";
    }
}

TEST_F(ModelChange, MeasuresTheIndexThatSearchesHaveForthAndBack) {
    const auto probes = [&] { return with_.value("SELECT count(*) FROM decant.quality_probes WHERE recall > 0.9"); };
    with_.changed("second");
    const std::string forth = probes();
    EXPECT_NE(forth, "0") << "the probe of the model before is held against this one";
    with_.told({"model", "rollback"});
    EXPECT_NE(probes(), forth);
}

TEST_F(ModelChange, IsBackAtOnceWithEveryByteAndQueuesWhatChangedSince) {
    const std::string before = vectors();
    with_.changed("second");
    EXPECT_NE(vectors(), before);
    const std::string forth = vectors();
    with_.told({"model", "rollback"});
    EXPECT_EQ(vectors(), before);
    const auto again = with_.told({"model", "rollback"});
    EXPECT_EQ(again.at("after").at("name"), "second");
    EXPECT_EQ(vectors(), forth);
    with_.exec("UPDATE products SET name = 'Otro nombre' WHERE sku = 'p-5'; DELETE FROM products WHERE sku = 'p-6'");
    with_.put(61, 2);
    with_.run({"worker", "--once"});
    EXPECT_EQ(with_.live(), "second 61 0");
    const auto report = with_.told({"model", "rollback"});
    EXPECT_EQ(report.at("queued"), 3);
    EXPECT_LT(report.at("seconds").to_number<double>(), 1);
    EXPECT_EQ(with_.live(), "first 59 1") << "one of an old text, two that it never saw";
    EXPECT_EQ(with_.run({"worker", "--once"}).exit_code, 0);
    EXPECT_EQ(with_.live(), "first 61 0");
}

TEST_F(ModelChange, LeavesNothingBehindOnceItIsForgotten) {
    const std::string before = with_.shape();
    with_.changed("second");
    EXPECT_NE(with_.shape(), before);
    EXPECT_EQ(with_.run({"model", "forget"}).exit_code, 2 + 0) << "nothing is removed without --yes";
    with_.told({"model", "forget", "--yes"});
    EXPECT_EQ(with_.shape(), before);
    EXPECT_EQ(with_.value("SELECT count(*) FROM pg_proc WHERE proname LIKE '%second%'"), "0");
    EXPECT_DOUBLE_EQ(with_.similarity_of(11), 1);
    const Outcome rollback = with_.run({"model", "rollback"});
    EXPECT_THAT(rollback.err, AllOf(HasSubstr("not_found"), HasSubstr("has no second column of vectors")));
}

TEST_F(ModelChange, OnlyLooksWithDryRun) {
    const std::string shape = with_.shape();
    const auto report = with_.changed("wide", {"--dry-run"});
    EXPECT_EQ(report.at("products"), 60);
    EXPECT_GT(report.at("needed_bytes").to_number<std::int64_t>(), 60 * 12 * 4);
    EXPECT_EQ(with_.shape(), shape);
}

TEST_F(ModelChange, NamesAllThatIsInItsWayAtOnce) {
    with_.exec("CREATE VIEW near_me AS SELECT id, embedding FROM products");
    with_.exec("DROP TRIGGER decant_enqueue_new ON products");
    const Outcome outcome = with_.run({"model", "change", "huge"});
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("gives 2100 dimensions, and an index of vector takes at most 2000"),
                                   HasSubstr("--halfvec"), HasSubstr("view near_me"),
                                   HasSubstr("trigger decant_enqueue_new missing")));
    EXPECT_EQ(with_.value("SELECT count(*) FROM pg_attribute WHERE attname LIKE 'embedding_second%'"), "0");
}

TEST_F(ModelChange, WantsAModelThatIsThere) {
    const Outcome outcome = with_.run({"model", "change", "nobody"});
    EXPECT_EQ(outcome.exit_code, 65);
    EXPECT_THAT(outcome.err, HasSubstr("ollama pull nobody"));
    EXPECT_THAT(with_.run({"model", "change", "first"}).err, HasSubstr("are of model 'first' (ollama) already"));
    EXPECT_EQ(with_.told({"model", "status"}).at("second"), nullptr);
}

TEST_F(ModelChange, WantsTheSettingsThatMadeTheVectors) {
    const Outcome outcome = with_.run({"model", "change", "second"}, {"DECANT_EMBEDDING_MODEL=wide"});
    EXPECT_EQ(outcome.exit_code, 75);
    EXPECT_THAT(outcome.err, HasSubstr("60 products have vectors of first, and the settings say that questions are "
                                       "embedded by wide"));
}

TEST_F(ModelChange, GoesOnlyOnWithTheModelThatItWasBegunWith) {
    stop_at("model.batch_committed");
    EXPECT_EQ(second("fresh"), "60");
    const Outcome other = with_.run({"model", "change", "wide"});
    EXPECT_THAT(other.err,
                AllOf(HasSubstr("A change to model 'second' (ollama) is under way"), HasSubstr("decant model forget")));
    const Outcome early = with_.run({"model", "rollback"});
    EXPECT_THAT(early.err, HasSubstr("The change to model 'second' was not made yet"));
    EXPECT_EQ(with_.live(), "first 60 0");
    EXPECT_DOUBLE_EQ(with_.similarity_of(3), 1);
    const auto report = with_.changed("second");
    EXPECT_TRUE(report.at("resumed").as_bool());
    EXPECT_EQ(report.at("embedded"), 0);
    EXPECT_EQ(with_.live(), "second 60 0");
    EXPECT_THAT(with_.run({"model", "change", "wide"}).err, HasSubstr("vectors of model 'first' (ollama) are kept"));
}

TEST_F(ModelChange, EmbedsWhatChangedBetweenFillingAndSwapAgain) {
    with_.exec(
        "INSERT INTO brands (name, display_name) VALUES ('acme', 'Acme');"
        "UPDATE products SET brand_id = (SELECT id FROM brands) WHERE sku = 'p-4'");
    with_.run({"worker", "--once"});
    stop_at("model.compared");
    EXPECT_EQ(second("fresh"), "60");
    const std::string built = with_.value("SELECT 'idx_products_embedding_hnsw_second'::regclass::oid");
    with_.exec(
        "UPDATE products SET name = 'Otro' WHERE sku = 'p-1'; UPDATE brands SET name = 'Umbra', display_name = "
        "'Umbra'; UPDATE products SET price = 7, stock = 1 WHERE sku = 'p-2'");
    with_.put(61, 1);
    EXPECT_EQ(second("stale"), "2") << "of a new name, and of a brand's new name";
    EXPECT_EQ(second("missing"), "1");
    const auto report = with_.changed("second");
    EXPECT_EQ(report.at("embedded"), 3);
    EXPECT_EQ(report.at("queued"), 0);
    EXPECT_EQ(with_.live(), "second 61 0");
    EXPECT_EQ(with_.value("SELECT 'idx_products_embedding_hnsw'::regclass::oid"), built) << "it was built twice";
    EXPECT_EQ(with_.run({"embed", "--all", "--json"}).json().at("updated"), 0) << "every vector is of its text";
}

TEST_F(ModelChange, LetsNoWorkerWriteVectorsOfTheOldModelAfterTheSwap) {
    pg::Connection db = with_.open();
    const Settings settings = this->settings();
    const auto first = work::open_catalog_embedder(settings, std::nullopt);
    work::ProductEmbedder embedder{db, *first};
    with_.exec("UPDATE products SET name = 'Cambiado' WHERE sku = 'p-8'");
    const std::string id = with_.value("SELECT id FROM products WHERE sku = 'p-8'");
    ASSERT_TRUE(embedder.prepare({{.id = id}}));
    with_.changed("second");
    const std::string swapped = vectors();
    {
        pg::Transaction tx{db};
        try {
            embedder.store({id});
            ADD_FAILURE() << "it wrote a vector of the old model";
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::source_changed);
        }
    }
    EXPECT_EQ(vectors(), swapped);
    EXPECT_THROW((work::ProductEmbedder{db, *first}), Error) << "nor may it begin anew";
}

TEST_F(ModelChange, IsFollowedByWhoEmbedsWhateverTheSettingsSay) {
    RunningDecant worker = with_.start({"worker"});
    with_.put(61, 1);
    ASSERT_TRUE(eventually(20s, [&] { return with_.live() == "first 61 0"; })) << worker.err();
    with_.changed("wide");
    with_.put(62, 1);
    EXPECT_TRUE(eventually(20s, [&] { return with_.live() == "wide 62 0"; })) << with_.live() << worker.err();
    with_.put(63, 1);
    EXPECT_EQ(with_.run({"embed"}).exit_code, 0);
    EXPECT_TRUE(eventually(20s, [&] { return with_.live() == "wide 63 0"; }));
    const Outcome named = with_.run({"embed", "--all", "--model", "first"});
    EXPECT_THAT(named.err, AllOf(HasSubstr("conflict"), HasSubstr("decant model change first")));
    EXPECT_EQ(with_.told({"stats"}).at("embedding_model"), "wide");
}

TEST_F(ModelChange, KeepsTheOldModelWhereTheNewOnesAnswersAreWorse) {
    const std::string best = with_.first_hit_of("altavoz sumergible");
    std::ofstream{with_.decant().folder() / "queries.jsonl"} << R"({"id": "q", "text": "altavoz sumergible"})" << "\n";
    std::ofstream{with_.decant().folder() / "qrels.txt"} << "q 0 " << best << " 1\n";
    const std::vector<std::string> judged{"--queries", "queries.jsonl", "--qrels", "qrels.txt"};
    const auto report = with_.changed("second", judged, 1);
    EXPECT_FALSE(report.at("swapped").as_bool());
    EXPECT_EQ(report.at("judged_before").at("ndcg").to_number<double>(), 1);
    EXPECT_LT(report.at("judged").at("ndcg").to_number<double>(), 0.98);
    EXPECT_THAT(std::string{report.at("too_bad").as_string()}, HasSubstr("nDCG@10 over 1 judged queries"));
    EXPECT_EQ(with_.live(), "first 60 0");
    EXPECT_TRUE(
        with_.changed("second", {judged[0], judged[1], judged[2], judged[3], "--force"}).at("swapped").as_bool());
    EXPECT_EQ(with_.live(), "second 60 0");
}

TEST_F(ModelChange, WaitsForATransactionThatReadsTheTable) {
    stop_at("model.compared");
    pg::Connection db = with_.open();
    std::optional<pg::Transaction> reader;
    reader.emplace(db);
    db.exec("SELECT count(*) FROM products");
    RunningDecant running = with_.start({"model", "change", "second"});
    EXPECT_TRUE(eventually(20s, [&] { return running.err().find("trying again") != std::string::npos; }));
    EXPECT_DOUBLE_EQ(with_.similarity_of(20), 1);
    reader.reset();
    const Outcome outcome = running.wait();
    EXPECT_EQ(outcome.exit_code, 0) << outcome.told();
    EXPECT_EQ(with_.live(), "second 60 0");
}

TEST_F(ModelChange, IsOneOfTheExclusiveOperations) {
    const operate::OperationLock lock{with_.decant().conninfo(), "reindex"};
    for (const auto& command : std::vector<std::vector<std::string>>{
             {"model", "change", "second"}, {"model", "rollback"}, {"model", "forget", "--yes"}}) {
        const Outcome outcome = with_.run(command);
        EXPECT_EQ(outcome.exit_code, 75);
        EXPECT_THAT(outcome.err, HasSubstr("`decant reindex`, begun "));
    }
}

TEST_F(ModelChange, GivesTheNewColumnsWhatWasGrantedOnTheOldOnes) {
    const std::string role = "reader_" + with_.value("SELECT current_database()");
    with_.exec(
        fmt::format("CREATE ROLE {0}; GRANT SELECT (id, embedding) ON products TO {0}; "
                    "GRANT SELECT ON product_embedding_stats TO {0}",
                    role));
    with_.changed("second");
    with_.exec(fmt::format("SET ROLE {}; SELECT id, embedding FROM products; TABLE product_embedding_stats", role));
    with_.told({"model", "rollback"});
    with_.exec(fmt::format("SET ROLE {}; SELECT id, embedding FROM products; TABLE product_embedding_stats", role));
    with_.exec(fmt::format("DROP OWNED BY {0}; DROP ROLE {0}", role));
}

TEST_F(ModelChange, IndexesInHalfPrecisionWhereThatIsAsked) {
    with_.changed("huge", {"--halfvec"});
    EXPECT_THAT(with_.value("SELECT pg_get_indexdef('idx_products_embedding_hnsw'::regclass)"),
                HasSubstr("halfvec(2100)"));
    EXPECT_NEAR(with_.similarity_of(13), 1, 1e-6);
    EXPECT_EQ(with_.value("SELECT count(*) FROM find_similar_products((SELECT embedding FROM products WHERE sku = "
                          "'p-7'), -1, 10)"),
              "10");
}

TEST_F(ModelChange, IsRemovedByTakingPgvectorAway) {
    with_.changed("second");
    EXPECT_EQ(with_.run({"schema", "down", "--yes"}).exit_code, 0);
    EXPECT_EQ(with_.value("SELECT count(*) FROM pg_attribute WHERE attrelid = 'products'::regclass AND attname LIKE "
                          "'%embedding%' AND NOT attisdropped"),
              "0");
    with_.exec("UPDATE products SET name = name || '!'");
    EXPECT_EQ(with_.run({"schema", "up", "--dimension", "12"}).exit_code, 0);
    EXPECT_EQ(store::read_second_column(*std::make_unique<pg::Connection>(with_.open())).has_value(), false);
}

TEST_F(ModelChange, AsksChromaByTheSettingsModelAndTheCatalogByItsOwn) {
    SyntheticChroma source{{.dimension = ModelCase::dimension, .space = "cosine"}};
    source.put({sample_record(1, ModelCase::dimension)});
    with_.changed("second");
    const Settings settings = Settings::from({}, {{"OLLAMA_API_URL", with_.url()},
                                                  {"OLLAMA_API_MODEL_EMBEDDING", "first"},
                                                  {"CHROMA_PATH", source.path().string()},
                                                  {"CHROMA_COLLECTION", "products"}});
    const auto chroma = search::ChromaSearch::from(settings);
    pg::Connection db = with_.open();
    work::CatalogEmbedder models{settings};
    std::vector<std::string> asked;
    search::Engine engine{db,
                          {},
                          {.embedder_of = [&](const auto& column) -> embed::Embedder& {
                               asked.push_back(column ? column->name : "the settings'");
                               return models.of(column);
                           },
                           .connect = [&] { return std::make_shared<pg::Connection>(with_.open()); },
                           .chroma = chroma.get()}};
    const search::Answer answer = engine.search({.text = ModelCase::text_of(9),
                                                 .threshold = -1,
                                                 .strategy = search::Strategy::chroma_primary,
                                                 .literal = true});
    EXPECT_THAT(asked, testing::Contains("the settings'")) << "Chroma's vectors are of the old model";
    ASSERT_FALSE(answer.hits.empty());
    EXPECT_EQ(answer.hits.at(0).sku, "p-9");
    EXPECT_NEAR(answer.hits.at(0).similarity.value_or(0), 1, 1e-6) << "the catalog was asked by Chroma's model";
}

TEST_F(ModelChange, DropsWhatAnInterruptedBuildLeft) {
    stop_at("model.filled");
    with_.exec(
        "CREATE INDEX idx_products_embedding_hnsw_second ON products USING hnsw (embedding_second vector_cosine_ops);"
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'idx_products_embedding_hnsw_second'::regclass");
    const Outcome outcome = with_.run({"model", "change", "second"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.told();
    EXPECT_THAT(outcome.err, HasSubstr("dropped index idx_products_embedding_hnsw_second"));
    EXPECT_EQ(with_.value("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), "0");
    EXPECT_DOUBLE_EQ(with_.similarity_of(7), 1);
}

TEST_F(ModelChange, IsInABackupWithTheWayBack) {
    with_.changed("second");
    const auto backup = with_.told({"backup", "--to", "backups", "--no-chroma"});
    const std::string copy = "restored_" + database_of(with_.decant().conninfo());
    with_.told({"restore", std::string{backup.at("folder").as_string()}, "--into", copy});
    const DecantProgram restored{ThrowawayCluster::shared().conninfo(copy)};
    const Outcome status = restored.run({"model", "status", "--json"}, with_.environment());
    EXPECT_EQ(status.json().at("column").at("name"), "second");
    EXPECT_EQ(status.json().at("second").at("state"), "kept");
    const Outcome back = restored.run({"model", "rollback", "--json"}, with_.environment());
    EXPECT_EQ(back.exit_code, 0) << back.told();
    const Outcome search = restored.run(
        {"search", ModelCase::text_of(5), "--literal", "--strategy", "pgvector", "--json"}, with_.environment());
    EXPECT_NEAR(search.json().at("results").at(0).at("similarity").to_number<double>(), 1, 1e-6);
}

TEST_F(ModelChange, TellsHowFarItIs) {
    EXPECT_EQ(with_.told({"model", "status"}).at("column"), nullptr);
    stop_at("model.indexed", "wide");
    const auto filling = with_.told({"model", "status"});
    EXPECT_EQ(filling.at("second").at("state"), "filling");
    EXPECT_EQ(filling.at("second").at("model").at("dimension"), 12);
    EXPECT_EQ(filling.at("second").at("indexes").as_array().size(), 4U);
    EXPECT_THAT(with_.run({"model", "status"}).out, AllOf(HasSubstr("60 of 60 products have a fresh vector"),
                                                          HasSubstr("Go on: decant model change wide")));
    with_.changed("wide");
    const auto kept = with_.told({"model", "status"});
    EXPECT_EQ(kept.at("column").at("name"), "wide");
    EXPECT_EQ(kept.at("second").at("state"), "kept");
    EXPECT_EQ(kept.at("second").at("model").at("name"), "first");
}

}  // namespace
}  // namespace decant::test
